/** What the application's answer to the connect callback means (kuiperbelt 5.3). */
import { describe, expect, it } from 'vitest';
import { encodeUtf8, failed, ok } from '../../base/index.ts';
import { type CallbackFailure, type ConnectReplySettings, readConnectReply } from './connect-reply.ts';

const settings: ConnectReplySettings = {
  sessionHeader: 'X-Kuiperbelt-Session',
  channelHeader: 'X-Kuiperbelt-Channel',
  limits: { sessionKeyBytesMax: 8, channelNameBytesMax: 4, channelsPerConnectionMax: 2 },
};

function read(status: number, lines: readonly (readonly [string, string])[], body = '') {
  const headerLines = (name: string) =>
    lines.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  const header = (name: string) => headerLines(name)[0];
  return readConnectReply(settings, ok({ status, header, headerLines, body: encodeUtf8(body) }), () => 7);
}

const session = ['x-kuiperbelt-session', 'alice'] as const;

describe('an answer of 200', () => {
  it('admits with key, channels and hello', () => {
    const lines = [
      session,
      ['X-Kuiperbelt-Channel', 'b'],
      ['x-kuiperbelt-channel', 'a, c'],
      ['X-Kuiperbelt-Channel', 'b'],
    ] as const;
    expect(read(200, lines, 'Hello')).toEqual({
      type: 'admit',
      key: 'alice',
      channels: ['b', 'a, c'],
      protocol: null,
      hello: encodeUtf8('Hello'),
      helloBinary: false,
    });
  });

  it('sends no hello for an empty body, and a binary one when told so', () => {
    expect(read(200, [session])).toMatchObject({ hello: null, channels: [] });
    expect(read(200, [session, ['content-type', 'application/octet-stream']], 'x')).toMatchObject({
      helloBinary: true,
    });
  });

  it('takes the first of several session headers', () => {
    expect(read(200, [session, ['X-Kuiperbelt-Session', 'bob']])).toMatchObject({ key: 'alice' });
  });

  it.each([
    ['no session', [], 400, 'Bad Request\n'],
    ['an empty session', [['X-Kuiperbelt-Session', '']], 400, 'Bad Request\n'],
    ['an empty session before a good one', [['X-Kuiperbelt-Session', ''], session], 400, 'Bad Request\n'],
    ['a session key that is too long', [['X-Kuiperbelt-Session', '123456789']], 502, 'Bad Gateway\n'],
    ['a session key with a control character', [['X-Kuiperbelt-Session', 'a\x01']], 502, 'Bad Gateway\n'],
    [
      'too many channels',
      [session, ...['a', 'b', 'c'].map((c) => ['X-Kuiperbelt-Channel', c])],
      502,
      'Bad Gateway\n',
    ],
    ['an empty channel', [session, ['X-Kuiperbelt-Channel', '']], 502, 'Bad Gateway\n'],
    ['a long channel', [session, ['X-Kuiperbelt-Channel', 'abcde']], 502, 'Bad Gateway\n'],
  ])('with %s is an error of the application', (_, lines, status, body) => {
    const verdict = read(200, lines as [string, string][], 'Hello');
    expect(verdict).toMatchObject({ type: 'refuse', status, body, counted: true, log: { level: 'error' } });
  });
});

describe('any other answer', () => {
  it('is relayed with its type (vector 6)', () => {
    const verdict = read(
      401,
      [
        ['content-type', 'application/json'],
        ['Set-Cookie', 'a=1'],
        ['Location', '/'],
      ],
      '{}',
    );
    expect(verdict).toMatchObject({
      type: 'refuse',
      status: 401,
      headers: ['Content-Type', 'application/json'],
      body: encodeUtf8('{}'),
      counted: true,
    });
  });

  it('does not count 403, which is how applications say no (vector 6)', () => {
    expect(read(403, [session], 'no')).toMatchObject({
      status: 403,
      counted: false,
      log: { level: 'info' },
      headers: [],
    });
  });

  it('tells the client when and how to try again', () => {
    const lines = [
      ['retry-after', '5'],
      ['www-authenticate', 'Basic'],
      ['content-type', 'a\nb'],
    ] as const;
    expect(read(503, lines)).toMatchObject({ headers: ['Retry-After', '5', 'WWW-Authenticate', 'Basic'] });
  });

  it.each([201, 204, 302, 304, 500])('%i never admits, session header or not', (status) => {
    expect(read(status, [session], 'x')).toMatchObject({ type: 'refuse', status, counted: true });
  });

  it('drops a body where HTTP has none, and refuses a status that cannot be relayed', () => {
    expect(read(304, [], 'x')).toMatchObject({ body: encodeUtf8('') });
    expect(read(101, [])).toMatchObject({ status: 502 });
  });
});

describe('no answer', () => {
  it.each([
    ['not_configured', 500, 'Internal Server Error\n'],
    ['bad_url', 502, 'Bad Gateway\n'],
    ['unreachable', 502, 'Bad Gateway\n'],
    ['timeout', 502, 'Bad Gateway\n'],
    ['malformed', 502, 'Bad Gateway\n'],
    ['too_large', 502, 'Bad Gateway\n'],
    ['redirects', 502, 'Bad Gateway\n'],
    ['no_backend', 503, 'Service Unavailable: the application does not answer\n'],
    ['busy', 503, 'Service Unavailable: too many clients are connecting\n'],
  ] as const)('%s -> %i', (kind, status, body) => {
    const failure: CallbackFailure = { kind, message: 'why' };
    const verdict = readConnectReply(settings, failed(failure), () => 7);
    expect(verdict).toMatchObject({
      type: 'refuse',
      status,
      body,
      counted: true,
      log: { message: expect.stringContaining('why') },
    });
  });

  it('asks clients to come back when it is busy', () => {
    const verdict = readConnectReply(settings, failed({ kind: 'busy', message: '' }), () => 7);
    expect(verdict).toMatchObject({ headers: expect.arrayContaining(['Retry-After', '7']) });
  });

  it.each([
    [12_001, '13'],
    [100, '7'],
  ])('asks them to come back no sooner than a backend is tried again (%i ms)', (retryAfterMs, seconds) => {
    const failure: CallbackFailure = { kind: 'no_backend', message: '', retryAfterMs };
    const verdict = readConnectReply(settings, failed(failure), () => 7);
    expect(verdict).toMatchObject({ headers: expect.arrayContaining(['Retry-After', seconds]) });
  });
});
