/** Who gets a path, in all the spellings that somebody might read as another one. */
import { describe, expect, it } from 'vitest';
import { UpstreamPaths } from './upstream-paths.ts';

const paths = new UpstreamPaths({
  own: ['/connect', '/send', '/ping', '/tree/'],
  callbacks: ['/hooks/connect', '/Hooks/close.php', '/end/'],
});

describe('paths of the application', () => {
  it.each([
    '/',
    '/index.html',
    '/a/b/',
    '//double//slashes',
    '/a%2Fb',
    '/caf%C3%A9',
    '/caf\xc3\xa9',
    '/a/./b/../c',
    '/100%',
    '/%zz',
    '/x;y=1/z',
    '/connect/me',
    '/connected',
    '/sender',
    '/hooks',
    '/hooks/connect-me',
    '/hooks/connects',
    '/hooks/close.phpx',
    '/tre',
    '/%25',
    '/a/..'.repeat(16),
    `/${'long'.repeat(5_000)}`,
    '/a%2525b',
    '/\xe0\xa4\xb9',
  ])('%s goes on', (path) => {
    expect(paths.verdict(path)).toBe('pass');
  });
});

describe('paths of the gateway', () => {
  it.each([
    '/connect',
    '/connect/',
    '//connect',
    '/%63onnect',
    '/%2563onnect',
    '/./send',
    '/x/../send',
    '/send;a=b',
    '/SEND',
    '/send%20',
    '/send%3Fx',
    '/send%23x',
    '\\send'.replace('\\', '/\\'),
    '/%5Csend',
    '/%u0073end',
    '/s%09end',
    '/tree/anything',
    '/tree',
    '/x/..;/ping',
    '/x/%2e%2e/ping',
    '/x%2f..%2fping',
  ])('%s stays with it', (path) => {
    expect(paths.verdict(path)).toBe('own');
  });
});

describe('paths of callbacks', () => {
  it.each([
    '/hooks/connect',
    '/hooks/connect/',
    '/hooks/connect/more',
    '/hooks/connect.json',
    '/hooks//connect',
    '//hooks/connect',
    '/hooks/./connect',
    '/hooks/x/../connect',
    '/HOOKS/Connect',
    '/hooks/%63onnect',
    '/hooks%2Fconnect',
    '/hooks%252Fconnect',
    '/%68%6f%6f%6b%73/connect',
    '/hooks/%2563onnect',
    '/hooks\\connect',
    '/hooks/connect;jsessionid=1',
    '/hooks;a/connect',
    '/hooks/connect%20',
    '/hooks/connect%0a',
    '/hooks/connect.',
    '/hooks/connect::$DATA',
    '/hooks/connect%3Fa',
    '/hooks/connect%23',
    '/x%3f/../hooks/connect',
    '/hooks/connect/../../page',
    '/hooks/connect/%2e%2e/x',
    '/hooks/close.php/path/info',
    '/end',
    '/end/',
    '/end/x',
  ])('%s is refused', (path) => {
    expect(paths.verdict(path)).toBe('refused');
  });

  it('that are the root hide the root alone', () => {
    const root = new UpstreamPaths({ own: [], callbacks: ['/'] });
    expect(['/', '//', '/.', '/%2e'].map((path) => root.verdict(path))).toEqual(Array(4).fill('refused'));
    expect(root.verdict('/page')).toBe('pass');
  });
});

describe('paths that nobody can read in one way', () => {
  it.each([
    '*',
    'http://a/b',
    'foo:80',
    '',
    '/a%00b',
    '/a\0b',
    '/%c0%afetc',
    '/%e0%80%afetc',
    '/%f0%80%80%afetc',
    '/%2525252525252541',
    `/a%20${'b'.repeat(8_192)}`,
    '/a/..'.repeat(17),
    '/a/%2E%252e'.repeat(17),
  ])('%s is refused', (path) => {
    expect(paths.verdict(path)).toBe('refused');
  });
});
