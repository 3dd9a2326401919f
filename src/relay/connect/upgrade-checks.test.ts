/** Upgrade checks: the order, statuses and texts of kuiperbelt 5.4, and the three origin policies. */
import { describe, expect, it } from 'vitest';
import { isOriginAdmitted, type OriginPolicy } from './origin.ts';
import { checkUpgrade, type UpgradeFacts } from './upgrade-checks.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const GOOD: Readonly<Record<string, string | readonly string[] | undefined>> = {
  host: 'chat.example',
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': KEY,
};

function facts(headers: typeof GOOD, rest: Partial<UpgradeFacts> = {}): UpgradeFacts {
  const lines = (name: string): readonly string[] => [{ ...GOOD, ...headers }[name] ?? []].flat();
  return {
    method: 'GET',
    httpVersion: '1.1',
    earlyData: false,
    header: (name) => lines(name)[0],
    headerLines: lines,
    ...rest,
  };
}

function statusOf(headers: typeof GOOD, rest: Partial<UpgradeFacts> = {}, policy: OriginPolicy = 'none') {
  const verdict = checkUpgrade(facts(headers, rest), policy);
  return verdict.type === 'refuse' ? verdict.status : verdict.type;
}

describe('checkUpgrade', () => {
  it('lets a proper handshake through and hands over its key', () => {
    expect(checkUpgrade(facts({}), 'none')).toEqual({ type: 'ok', key: KEY });
  });

  it('reads token lists as HTTP writes them: several, in any case, over several lines', () => {
    expect(statusOf({ connection: 'keep-alive , UPGRADE' })).toBe('ok');
    expect(statusOf({ connection: ['keep-alive', 'upgrade'], upgrade: ['h2c, WebSocket'] })).toBe('ok');
    expect(statusOf({ 'sec-websocket-version': '8, 13' })).toBe('ok');
    expect(statusOf({ connection: `${','.repeat(255)}upgrade` })).toBe('ok');
    expect(statusOf({ connection: `${','.repeat(256)}upgrade` }), 'a list that is only long').toBe(400);
    expect(statusOf({ connection: 'not-upgrade' })).toBe(400);
    expect(statusOf({ upgrade: 'websocket/13' })).toBe(400);
  });

  it.each([
    ['no Connection', { connection: undefined }, {}, 400],
    ['no Upgrade', { upgrade: undefined }, {}, 400],
    ['POST', {}, { method: 'POST' }, 405],
    ['HTTP/1.0', {}, { httpVersion: '1.0' }, 400],
    ['another version', { 'sec-websocket-version': '8' }, {}, 400],
    ['no key', { 'sec-websocket-key': undefined }, {}, 400],
    ['a blank key', { 'sec-websocket-key': '  ' }, {}, 400],
    ['a key of 15 bytes', { 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAA' }, {}, 400],
    ['early data', {}, { earlyData: true }, 'abandon'],
  ])('refuses %s', (_, headers, rest, expected) => {
    expect(statusOf(headers, rest)).toBe(expected);
  });

  it('refuses malformed offers of extensions where they are read', () => {
    const malformed = facts({ 'sec-websocket-extensions': 'permessage-deflate; =' });
    const unknown = facts({ 'sec-websocket-extensions': 'tea; with=milk' });
    expect(checkUpgrade(malformed, 'none', undefined, 'read')).toMatchObject({ status: 400 });
    expect(checkUpgrade(malformed, 'none')).toMatchObject({ type: 'ok' });
    expect(checkUpgrade(unknown, 'none', undefined, 'read')).toMatchObject({ type: 'ok' });
  });

  it('looks at the origin before anything else', () => {
    const headers = { origin: 'https://evil.example', connection: undefined };
    expect(statusOf(headers, { method: 'POST' }, 'same_origin')).toBe(403);
  });

  it('answers in the words and headers of kuiperbelt', () => {
    expect(checkUpgrade(facts({ origin: 'null' }), 'same_origin')).toEqual({
      type: 'refuse',
      status: 403,
      headers: [
        'Content-Type',
        'text/plain; charset=utf-8',
        'Sec-Websocket-Version',
        '13',
        'X-Content-Type-Options',
        'nosniff',
      ],
      body: 'Forbidden\n',
    });
    const post = checkUpgrade(facts({}, { method: 'POST' }), 'none');
    expect(post).toMatchObject({
      body: 'Method Not Allowed\n',
      headers: expect.arrayContaining(['Allow', 'GET']),
    });
  });
});

describe('isOriginAdmitted', () => {
  const cases: [OriginPolicy, string | undefined, string | undefined, boolean][] = [
    ['none', undefined, undefined, true],
    ['none', 'https://evil.example', 'chat.example', true],
    ['same_origin', undefined, 'chat.example', true],
    ['same_origin', 'https://CHAT.example', 'chat.EXAMPLE', true],
    ['same_origin', 'https://chat.example:8443', 'chat.example:8443', true],
    ['same_origin', 'https://chat.example:8443', 'chat.example', false],
    ['same_origin', 'https://chat.example', 'chat.example:443', true],
    ['same_origin', 'http://chat.example:80', 'chat.example', true],
    ['same_origin', 'http://chat.example', 'chat.example:443', false],
    ['same_origin', 'null', 'chat.example', false],
    ['same_origin', '', 'chat.example', false],
    ['same_origin', 'https://chat.example.evil.example', 'chat.example', false],
    ['same_origin', 'https://chat.example@evil.example', 'chat.example', false],
    ['same_origin', 'https://[::1]:9180', '[::1]:9180', true],
    ['same_origin', 'https://chat.example', undefined, false],
    ['same_hostname', undefined, 'chat.example:9180', false],
    ['same_hostname', 'https://chat.example:3000', 'chat.example:9180', true],
    ['same_hostname', 'https://Chat.Example', 'chat.example', true],
    ['same_hostname', 'https://[::1]', '[::1]:9180', true],
    ['same_hostname', 'https://other.example', 'chat.example', false],
    ['same_hostname', 'https://', '', false],
    ['same_hostname', 'null', 'null', false],
    [['https://chat.example'], 'https://Chat.Example:443', 'elsewhere', true],
    [['https://chat.example', 'http://[::1]:8080'], 'http://[::1]:8080', undefined, true],
    [['https://chat.example'], undefined, 'chat.example', false],
    [['https://chat.example'], 'http://chat.example', 'chat.example', false],
    [['https://chat.example'], 'https://chat.example:8443', 'chat.example', false],
    [['https://chat.example'], 'https://evil.example', 'chat.example', false],
    [['https://chat.example'], 'https://chat.example.evil.example', 'chat.example', false],
    [['https://chat.example'], 'https://a.chat.example', 'chat.example', false],
    [['https://chat.example'], 'null', 'chat.example', false],
  ];
  it.each(cases)('%j: origin %s at host %s -> %s', (policy, origin, host, expected) => {
    expect(isOriginAdmitted(policy, { origin, host, secure: false })).toBe(expected);
  });

  it.each([
    ['same_origin', 'https://chat.example', 'chat.example', true],
    ['same_origin', 'https://chat.example', 'chat.example:443', true],
    ['same_origin', 'http://chat.example', 'chat.example', false],
    ['same_origin', 'http://chat.example:9180', 'chat.example:9180', false],
    ['same_origin', undefined, 'chat.example', true],
    ['same_hostname', 'http://chat.example', 'chat.example', true],
    ['none', 'http://chat.example', 'chat.example', true],
  ] as const)('%s, over TLS: origin %s at host %s -> %s', (policy, origin, host, expected) => {
    expect(isOriginAdmitted(policy, { origin, host, secure: true })).toBe(expected);
  });
});
