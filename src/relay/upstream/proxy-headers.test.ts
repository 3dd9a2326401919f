/** What goes on to a backend and what comes back, line by line. */
import { describe, expect, it } from 'vitest';
import {
  answerProblem,
  checkForwardable,
  checkUpgradeForwardable,
  ownHeaderNames,
  passedAnswerLines,
  passedRequestLines,
} from './proxy-headers.ts';

const OWN = { ownNames: ownHeaderNames(['X-Kuiperbelt-Session', 'X_Room']) };

function facts(rawHeaders: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const headerLines = (name: string) =>
    rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
  return { method: 'GET', path: '/', query: '', httpVersion: '1.1', ...more, rawHeaders, headerLines };
}
const HOST = ['Host', 'chat.example:8080'];
const verdictOf = (headers: readonly string[], more = {}) => {
  const verdict = checkForwardable(facts(headers, more));
  return verdict.type === 'ok' ? verdict.body : verdict.status;
};

describe('a request that goes on', () => {
  it('keeps its lines, their order and repetitions, and says who passed it on', () => {
    const rawHeaders = ['Accept', '*/*', 'Cookie', 'a=1', 'cookie', 'b=2', 'X-Request-Id', '7', 'Host', 'a'];
    const lines = passedRequestLines(OWN, facts(rawHeaders), ['X-Forwarded-For', '10.0.0.1']);
    expect(lines).toEqual([...rawHeaders.slice(0, 8), 'X-Forwarded-For', '10.0.0.1', 'Via', '1.1 arrokoth']);
  });

  it.each([
    ['Connection', 'close'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Connection', 'keep-alive'],
    ['Proxy-Authorization', 'Basic eA=='],
    ['TE', 'trailers'],
    ['Trailer', 'X-Sum'],
    ['Transfer-Encoding', 'chunked'],
    ['Transfer_Encoding', 'chunked'],
    ['transfer.encoding', 'chunked'],
    ['Content-Length', '5'],
    ['Content_Length', '5'],
    ['Upgrade', 'h2c'],
    ['HTTP2-Settings', 'AAMAAABk'],
    ['Expect', '100-continue'],
    ['Proxy', 'http://evil.example'],
    ['X-Kuiperbelt-Session', 'ada'],
    ['x_kuiperbelt_endpoint', 'evil:80'],
    ['X-Arrokoth-Signature', 'v1=00'],
    ['X.Arrokoth.Event-Id', '1'],
    ['X-Room', 'lobby'],
    ['X_Room', 'lobby'],
    ['X-Forwarded-For', '6.6.6.6'],
    ['X_Forwarded_Proto', 'https'],
    ['Forwarded', 'for=6.6.6.6'],
    ['X-Real-IP', '6.6.6.6'],
    ['X-Broken', 'a\0b'],
  ])('leaves %s: %s behind', (name, value) => {
    const lines = passedRequestLines(OWN, facts(['A', 'b', name, value, 'C', 'd']), []);
    expect(lines).toEqual(['A', 'b', 'C', 'd', 'Via', '1.1 arrokoth']);
  });

  it('leaves behind what Connection names, but nothing that we say', () => {
    const rawHeaders = ['Connection', 'close, X-Hop ,x-forwarded-for', 'connection', 'Via', 'x-hop', '1'];
    const lines = passedRequestLines(OWN, facts(rawHeaders), ['X-Forwarded-For', '10.0.0.1']);
    expect(lines).toEqual(['X-Forwarded-For', '10.0.0.1', 'Via', '1.1 arrokoth']);
  });

  it('adds itself to those that passed it on before, and stops a circle', () => {
    const via = ['Via', '1.0 fred, 1.1 arrokoth', 'via', '1.1 p.example'];
    expect(passedRequestLines(OWN, facts(via, { httpVersion: '1.0' }), [])).toEqual([
      ...['Via', '1.0 fred, 1.1 arrokoth, 1.1 p.example, 1.0 arrokoth'],
    ]);
    const circle = (times: number) => [...HOST, 'Via', Array(times).fill('1.1 arrokoth').join(', ')];
    expect(verdictOf(circle(4))).toEqual({ type: 'none' });
    expect(verdictOf(circle(5))).toBe(508);
  });

  it.each<[string, readonly string[], Readonly<Record<string, string>>, unknown]>([
    ['no body', HOST, {}, { type: 'none' }],
    ['a length', [...HOST, 'Content-Length', '12'], {}, { type: 'length', bytes: 12 }],
    ['chunks', [...HOST, 'Transfer-Encoding', ' Chunked '], {}, { type: 'chunked' }],
    ['no Host in HTTP/1.0', [], { httpVersion: '1.0' }, { type: 'none' }],
    ['an address of IPv6', ['Host', '[::1]:80'], {}, { type: 'none' }],
    ['no Host', [], {}, 400],
    ['two Hosts', [...HOST, ...HOST], {}, 400],
    ['an empty Host', ['Host', ''], {}, 400],
    ['a Host with a path', ['Host', 'a/b'], {}, 400],
    ['a Host with a user', ['Host', 'a@b'], {}, 400],
    ['a long Host', ['Host', 'a'.repeat(262)], {}, 400],
    ['a fragment', HOST, { path: '/a#b' }, 400],
    ['a fragment behind the query', HOST, { query: 'a#b' }, 400],
    ['another version', HOST, { httpVersion: '2.0' }, 505],
    ['CONNECT', HOST, { method: 'CONNECT' }, 501],
    ['TRACE', HOST, { method: 'TRACE' }, 501],
    ['a length beside chunks', [...HOST, 'Content-Length', '1', 'Transfer-Encoding', 'chunked'], {}, 400],
    ['two lengths', [...HOST, 'Content-Length', '1', 'Content-Length', '1'], {}, 400],
    ['a length with a sign', [...HOST, 'Content-Length', '+1'], {}, 400],
    ['a length beyond all bounds', [...HOST, 'Content-Length', '9'.repeat(16)], {}, 400],
    ['chunks in HTTP/1.0', [...HOST, 'Transfer-Encoding', 'chunked'], { httpVersion: '1.0' }, 400],
    ['another coding', [...HOST, 'Transfer-Encoding', 'gzip, chunked'], {}, 501],
    ['codings in two lines', [...HOST, 'Transfer-Encoding', 'x', 'Transfer-Encoding', 'chunked'], {}, 501],
  ])('may have %s, or not', (_what, headers, more, expected) => {
    expect(verdictOf(headers, more)).toEqual(expected);
  });
});

describe('a handshake that goes on', () => {
  const KEY = ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='];
  const UPGRADE = ['Connection', 'keep-alive, Upgrade', 'Upgrade', 'websocket'];
  it.each<[string, readonly string[], Readonly<Record<string, string>>, unknown]>([
    ['is whole', [...HOST, ...UPGRADE, ...KEY], {}, 'ok'],
    ['has an empty body', [...HOST, ...UPGRADE, ...KEY, 'Content-Length', '0'], {}, 'ok'],
    ['has a body', [...HOST, ...UPGRADE, ...KEY, 'Content-Length', '3'], {}, 'refuse'],
    ['has chunks', [...HOST, ...UPGRADE, ...KEY, 'Transfer-Encoding', 'chunked'], {}, 'refuse'],
    ['is a POST', [...HOST, ...UPGRADE, ...KEY], { method: 'POST' }, 'refuse'],
    ['is HTTP/1.0', [...HOST, ...UPGRADE, ...KEY], { httpVersion: '1.0' }, 'refuse'],
    ['wants no upgrade', [...HOST, ...UPGRADE.slice(2), ...KEY], {}, 'refuse'],
    ['has no key', [...HOST, ...UPGRADE], {}, 'refuse'],
    ['has two keys', [...HOST, ...UPGRADE, ...KEY, ...KEY], {}, 'refuse'],
    ['has a short key', [...HOST, ...UPGRADE, 'Sec-WebSocket-Key', 'abc'], {}, 'refuse'],
    ['has no Host', [...UPGRADE, ...KEY], {}, 'refuse'],
  ])('%s', (_what, headers, more, expected) => {
    expect(checkUpgradeForwardable(facts(headers, more)).type).toBe(expected);
  });
});

describe('an answer that comes back', () => {
  it('keeps what is meant for the client', () => {
    const rawHeaders = [
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
      'Content-Length',
      '3',
      'X-Forwarded-For',
      'x',
    ];
    expect(passedAnswerLines(200, rawHeaders)).toEqual(rawHeaders);
  });

  it('leaves behind what was meant for us', () => {
    const rawHeaders = [
      ...['Connection', 'X-Hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=5', 'Transfer-Encoding', 'chunked'],
      ...['Trailer', 'X-Sum', 'Upgrade', 'h2c', 'Proxy-Authenticate', 'Basic', 'X-Broken', 'a\rb'],
      ...['Content-Length', '3'],
    ];
    expect(passedAnswerLines(204, rawHeaders)).toEqual([]);
    expect(passedAnswerLines(304, rawHeaders)).toEqual(['Content-Length', '3']);
  });

  it('has a status and a coding that clients understand', () => {
    expect([200, 599].map((status) => answerProblem(status, []))).toEqual([null, null]);
    expect([99, 101, 600, 999].map((status) => answerProblem(status, []))).not.toContain(null);
    expect(answerProblem(200, ['chunked'])).toBeNull();
    expect(answerProblem(200, ['gzip'])).not.toBeNull();
    expect(answerProblem(200, ['gzip', 'chunked'])).not.toBeNull();
  });
});
