/** Routing (kuiperbelt 4). */
import { describe, expect, it } from 'vitest';
import { notFoundAnswer, type RoutePaths, redirectAnswer, routePath } from './paths.ts';

const paths: RoutePaths = {
  connect: '/connect',
  stats: '/stats',
  send: '/send',
  close: '/close',
  subscribe: '/subscribe',
  unsubscribe: '/unsubscribe',
  ping: '/ping',
};

describe('routePath', () => {
  it.each(['connect', 'stats', 'send', 'close', 'subscribe', 'unsubscribe', 'ping'] as const)(
    'finds %s',
    (type) => {
      expect(routePath(paths, `/${type}`)).toEqual({ type });
    },
  );

  it.each(['/', '/sen', '/send/', '/sendx', '/SEND', '*', '', '/%zz', '/send%00'])(
    '%s is not found',
    (path) => {
      expect(routePath(paths, path)).toEqual({ type: 'not_found' });
    },
  );

  it('knows no door that the listener does not serve', () => {
    expect(routePath({ connect: '/connect' }, '/send')).toEqual({ type: 'not_found' });
    expect(routePath({ send: 'send' }, '/send')).toEqual({ type: 'not_found' });
  });

  it.each([
    ['//send', '/send'],
    ['/a/../send', '/send'],
    ['/./send', '/send'],
    ['/../../send/', '/send/'],
    ['/a//', '/a/'],
    ['/..', '/'],
    ['/%2e%2e/send', '/send'],
    ['//evil.example/%3Fx', '/evil.example/%3Fx'],
    ['//\\evil', '/%5Cevil'],
  ])('%s is redirected to %s', (path, location) => {
    expect(routePath(paths, path)).toEqual({ type: 'redirect', location });
  });

  it('reads percent signs', () => {
    expect(routePath(paths, '/s%65nd')).toEqual({ type: 'send' });
  });

  it('lets a path with a last slash stand for all below it, the longest first', () => {
    const trees = { connect: '/ws/', send: '/ws/api/', ping: '/ws/api/ping' };
    expect(routePath(trees, '/ws/')).toEqual({ type: 'connect' });
    expect(routePath(trees, '/ws/room/7')).toEqual({ type: 'connect' });
    expect(routePath(trees, '/ws/api/x')).toEqual({ type: 'send' });
    expect(routePath(trees, '/ws/api/ping')).toEqual({ type: 'ping' });
    expect(routePath(trees, '/ws')).toEqual({ type: 'redirect', location: '/ws/' });
    expect(routePath(trees, '/wsx')).toEqual({ type: 'not_found' });
  });

  it('lets connect and stats hide an equal path', () => {
    expect(routePath({ send: '/x', connect: '/x' }, '/x')).toEqual({ type: 'connect' });
  });
});

it('answers as Go does', () => {
  expect(notFoundAnswer()).toEqual({
    status: 404,
    headers: ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff'],
    body: '404 page not found\n',
  });
  expect(redirectAnswer('/send', 'a=1')).toMatchObject({
    status: 301,
    headers: expect.arrayContaining(['Location', '/send?a=1']),
  });
  expect(redirectAnswer('/send', '').headers).toContain('/send');
});
