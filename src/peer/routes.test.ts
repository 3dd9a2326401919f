/** Which paths are calls, and what becomes of those that are none: the table of the wire reference. */
import { describe, expect, it } from 'vitest';
import { isClusterName, type Route, routeOf } from './routes.ts';

const CLUSTERS = ['c', 'a', 'a/b', 'prepare'];
const route = (method: string, path: string, query = ''): Route => routeOf({ method, path, query }, CLUSTERS);
const call = (cluster: string, method: string) => ({ type: 'call', cluster, method });

describe('a path', () => {
  it.each<[string, object]>([
    ['/_clusterc/c/prepare', call('c', 'prepare')],
    ['/_clusterc/c/accept', call('c', 'accept')],
    ['/_clusterc/c/addmember', call('c', 'addmember')],
    ['/_clusterc/c/rmmember', call('c', 'rmmember')],
    ['/_clusterc/c/start', call('c', 'start')],
    ['/_clusterc/c/submit', call('c', 'submit')],
    ['/_clusterc/c/x/yprepare', call('c', 'prepare')],
    ['/_clusterc/c/restart', call('c', 'start')],
    ['/_clusterc/%63/%73ubmit', call('c', 'submit')],
    ['/_clusterc/a/b/submit', call('a/b', 'submit')],
    ['/_clusterc/a/x/submit', call('a', 'submit')],
    ['/_clusterc/prepare/accept', call('prepare', 'accept')],
    ['/_clusterc/c/', { type: 'bad_request' }],
    ['/_clusterc/c/Prepare', { type: 'bad_request' }],
    ['/_clusterc/c/prepare/', { type: 'bad_request' }],
    ['/_clusterc/prepare/', { type: 'bad_request' }],
    ['/_clusterc/c/%zz', { type: 'bad_request' }],
    ['/_clusterc/d/prepare', { type: 'unknown_cluster' }],
    ['/_clusterc/C/prepare', { type: 'unknown_cluster' }],
    ['/_clusterc/', { type: 'unknown_cluster' }],
    ['/prepare', { type: 'unknown_cluster' }],
    ['/', { type: 'unknown_cluster' }],
    ['/_clusterc/c', { type: 'moved', location: '/_clusterc/c/' }],
    ['/_clusterc//c/prepare', { type: 'moved', location: '/_clusterc/c/prepare' }],
    ['//_clusterc/c/prepare', { type: 'moved', location: '/_clusterc/c/prepare' }],
    ['/_clusterc/c/./prepare', { type: 'moved', location: '/_clusterc/c/prepare' }],
    ['/_clusterc/x/../c/prepare', { type: 'moved', location: '/_clusterc/c/prepare' }],
    ['/..', { type: 'moved', location: '/' }],
    ['//evil.example/', { type: 'moved', location: '/evil.example/' }],
  ])('%s', (path, wanted) => {
    expect(route('POST', path)).toEqual(wanted);
  });

  it('is a call only where it is posted to', () => {
    for (const method of ['GET', 'PUT', 'post', 'HEAD']) {
      expect(route(method, '/_clusterc/c/prepare')).toEqual({ type: 'bad_request' });
      expect(route(method, '/_clusterc/d/prepare')).toEqual({ type: 'unknown_cluster' });
    }
  });

  it('keeps its query when it is sent elsewhere', () => {
    expect(route('POST', '/_clusterc/c', 'a=b')).toEqual({ type: 'moved', location: '/_clusterc/c/?a=b' });
  });
});

describe('the name of a cluster', () => {
  it.each(['c', 'cluster1', 'a/b', 'x.y', 'A-B_c~'])('may be %s', (name) => {
    expect(isClusterName(name)).toBe(true);
  });

  it.each(['', ' ', 'a b', 'a//b', 'a/', '/a', '.', '..', 'a/../b', 'a?b', 'a#b', 'a%b', 'ä', 'a\nb'])(
    'may not be %j',
    (name) => {
      expect(isClusterName(name)).toBe(false);
    },
  );
});
