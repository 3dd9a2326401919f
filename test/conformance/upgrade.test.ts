/** Who may become a WebSocket, checked before the application is asked (kuiperbelt 5.4). */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  handshake,
  handshakeText,
  openWebSocket,
  type RawTarget,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ApplicationCalls, growth, isQuiet, TEXT_TYPE } from './application-calls.ts';

const NOT_MINE = ['Origin', 'http://evil.example'];

const REFUSED: [what: string, target: RawTarget, status: number, body: string][] = [
  ['a strange origin', { headers: NOT_MINE }, 403, 'Forbidden\n'],
  [
    'a strange origin before all else',
    { headers: NOT_MINE, method: 'POST', without: ['upgrade'] },
    403,
    'Forbidden\n',
  ],
  ['no Connection', { without: ['connection'] }, 400, 'Bad Request\n'],
  ['a Connection without upgrade', { headers: ['Connection', 'keep-alive'] }, 400, 'Bad Request\n'],
  ['no Upgrade', { without: ['upgrade'] }, 400, 'Bad Request\n'],
  ['an Upgrade to something else', { headers: ['Upgrade', 'h2c'] }, 400, 'Bad Request\n'],
  ['another method', { method: 'POST', headers: ['Content-Length', '0'] }, 405, 'Method Not Allowed\n'],
  ['no Connection before the method', { method: 'PUT', without: ['connection'] }, 400, 'Bad Request\n'],
  ['another method before the version', { method: 'HEAD', without: ['sec-websocket-version'] }, 405, ''],
  ['no version', { without: ['sec-websocket-version'] }, 400, 'Bad Request\n'],
  ['another version', { headers: ['Sec-WebSocket-Version', '8'] }, 400, 'Bad Request\n'],
  ['no key', { without: ['sec-websocket-key'] }, 400, 'Bad Request\n'],
  ['a blank key', { headers: ['Sec-WebSocket-Key', '  '] }, 400, 'Bad Request\n'],
  ['a key of another length', { headers: ['Sec-WebSocket-Key', 'c2hvcnQ='] }, 400, 'Bad Request\n'],
];

describe('upgrade checks', () => {
  let application: Application;
  let node: RunningNode;
  let calls: ApplicationCalls;
  let port: number;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({ config: { callback: application.callback, origin_policy: 'same_origin' } });
    calls = new ApplicationCalls(node.addresses.public);
    port = node.addresses.public.port;
  });

  it.each(REFUSED)('refuse %s without asking the application', async (_what, target, status, body) => {
    const before = await calls.statsWhen(isQuiet);
    const asked = application.calls('connect').length;
    const answer = await handshake({ port, path: '/connect?key=refused', ...target }).answered;
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.header('Sec-Websocket-Version')).toBe('13');
    expect(answer.header('X-Content-Type-Options')).toBe('nosniff');
    expect(answer.header('Content-Type')).toBe(TEXT_TYPE);
    if (status === 405) expect(answer.header('Allow')).toBe('GET');
    const after = await calls.statsWhen(isQuiet);
    expect(growth(before, after)).toEqual({ total_connections: 1, connect_errors: 1 });
    // The callback precedes the answer to a client that is admitted, so nothing can still come.
    await openWebSocket({ port, path: '/connect?key=admitted' });
    expect(application.calls('connect')).toHaveLength(asked + 1);
  });

  it('refuse HTTP/1.0', async () => {
    const rawRequest = handshakeText({ port }).replace('HTTP/1.1', 'HTTP/1.0');
    expect((await handshake({ port, rawRequest }).answered).status).toBe(400);
  });

  it('drop a client that speaks before it is answered', async () => {
    const before = await calls.statsWhen(isQuiet);
    const asked = application.calls('connect').length;
    const client = handshake({ port, rawRequest: `${handshakeText({ port })}early` });
    await expect(client.answered).rejects.toThrow('before the handshake was answered');
    const after = await calls.statsWhen((stats) => stats.connect_errors > before.connect_errors);
    expect(growth(before, after)).toEqual({ total_connections: 1, connect_errors: 1 });
    expect(application.calls('connect')).toHaveLength(asked);
  });

  it('pass for lists, other letter case and repeated lines', async () => {
    const client = await openWebSocket({
      port,
      path: '/connect?key=lists',
      headers: [
        ...['connection', 'keep-alive', 'Connection', 'x, uPgRaDe', 'UPGRADE', 'h2c, WebSocket'],
        ...['Sec-WebSocket-Version', '8, 13'],
      ],
    });
    client.reset();
  });

  it('answer with exactly three lines, and negotiate nothing', async () => {
    const client = await openWebSocket({
      port,
      path: '/connect?key=exact',
      headers: [
        ...['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol', 'chat, superchat'],
        ...['Sec-WebSocket-Extensions', 'permessage-deflate'],
      ],
    });
    const answer = await client.answered;
    expect(answer.statusText).toBe('Switching Protocols');
    expect(answer.rawHeaders).toEqual([
      ...['Upgrade', 'websocket', 'Connection', 'Upgrade'],
      ...['Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
    ]);
  });
});

const ORIGINS: [policy: string, origin: string | null, host: string, admitted: boolean][] = [
  ['none', 'http://evil.example', 'chat.example', true],
  ['none', 'null', 'chat.example', true],
  ['none', null, 'chat.example', true],
  ['same_origin', null, 'chat.example', true],
  ['same_origin', 'http://chat.example', 'chat.example', true],
  ['same_origin', 'https://CHAT.example', 'chat.EXAMPLE', true],
  ['same_origin', 'http://chat.example:8080', 'chat.example:8080', true],
  ['same_origin', 'http://chat.example:8080', 'chat.example', false],
  ['same_origin', 'http://sub.chat.example', 'chat.example', false],
  ['same_origin', 'null', 'chat.example', false],
  // Decided: a default port that only one side writes is no difference.
  ['same_origin', 'https://chat.example', 'chat.example:443', true],
  ['same_origin', 'http://chat.example', 'chat.example:443', false],
  ['same_hostname', 'http://chat.example:1', 'chat.example:2', true],
  ['same_hostname', null, 'chat.example:2', false],
  ['same_hostname', 'http://evil.example', 'chat.example:2', false],
  // Decided: works behind a proxy on a default port, and whatever the letter case.
  ['same_hostname', 'http://chat.example', 'chat.example', true],
  ['same_hostname', 'http://Chat.Example', 'chat.example:2', true],
];

describe('origin policies', () => {
  const nodes = new Map<string, RunningNode>();
  let application: Application;

  beforeAll(async () => {
    application = await startApplication();
    const { callback } = application;
    await Promise.all(
      ['none', 'same_origin', 'same_hostname'].map(async (origin_policy) => {
        nodes.set(origin_policy, await startNode({ config: { callback, origin_policy } }));
      }),
    );
  });

  it.each(ORIGINS)('%s: origin %s at host %s', async (policy, origin, host, admitted) => {
    const { port } = (nodes.get(policy) as RunningNode).addresses.public;
    const asked = application.calls('connect').length;
    const headers = ['Host', host, ...(origin === null ? [] : ['Origin', origin])];
    const answer = await handshake({ port, headers }).answered;
    expect(answer.status).toBe(admitted ? 101 : 403);
    expect(application.calls('connect')).toHaveLength(admitted ? asked + 1 : asked);
  });
});
