/** Whose word about a client is believed, and what the application hears of it. */
import { describe, expect, it } from 'vitest';
import { checkTrustedProxy, ForwardedRule, isForwardedName } from './forwarded.ts';

type Lines = Readonly<Record<string, string | string[]>>;

function read(trusted: readonly string[] | null, remoteAddress: string, lines: Lines = {}, tls = NO_TLS) {
  const headers: Lines = { host: 'chat.example', ...lines };
  const headerLines = (name: string) => [headers[name] ?? []].flat();
  const request = { remoteAddress, tls, headerLines, header: (name: string) => headerLines(name)[0] };
  return new ForwardedRule(trusted).read(request);
}

const NO_TLS = null as { certificateAsked: boolean; certificate: null } | null;
const TLS = { certificateAsked: false, certificate: null };
const told = (address: string, scheme = 'http', host = 'chat.example') => [
  ...['X-Forwarded-For', address, 'X-Forwarded-Proto', scheme, 'X-Forwarded-Host', host],
];
const spoofed = {
  'x-forwarded-for': '10.0.0.1',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'bank.example',
};
const OWN = ['10.0.0.0/8', '2001:db8::/32'];

describe('without the key', () => {
  it('leaves everything as it is', () => {
    expect(read(null, '192.0.2.1', spoofed)).toEqual({
      address: '192.0.2.1',
      host: 'chat.example',
      secure: false,
      lines: null,
    });
    expect(read(null, '192.0.2.1', spoofed, TLS)).toMatchObject({ secure: true, lines: null });
  });
});

describe('a peer that nobody trusts', () => {
  it.each([[[]], [OWN], [['unix']]])('is the client, whatever it says (trusted: %j)', (trusted) => {
    const origin = read(trusted, '192.0.2.1', spoofed);
    const who = { address: '192.0.2.1', host: 'chat.example' };
    expect(origin).toEqual({ ...who, secure: false, lines: told('192.0.2.1') });
    const overTls = read(trusted, '192.0.2.1', { ...spoofed, 'x-forwarded-proto': 'http' }, TLS);
    expect(overTls).toEqual({ ...who, secure: true, lines: told('192.0.2.1', 'https') });
  });

  it('is shown in the one form of its address', () => {
    expect(read([], '::ffff:192.0.2.1').address).toBe('192.0.2.1');
    expect(read([], '2001:DB8:0::1').address).toBe('2001:db8::1');
  });

  it('is unknown when it came through a unix socket', () => {
    expect(read(OWN, '', spoofed).lines).toEqual(told('unknown'));
  });

  it('has no host when it said none, or one that is no host', () => {
    expect(read([], '192.0.2.1', { host: [] }).lines).toEqual(told('192.0.2.1').slice(0, 4));
    expect(read([], '192.0.2.1', { host: 'a, b' }).lines).toEqual(told('192.0.2.1').slice(0, 4));
  });
});

describe('a trusted peer', () => {
  it('is believed', () => {
    const lines = { ...spoofed, 'x-forwarded-for': '203.0.113.7' };
    expect(read(OWN, '10.0.0.5', lines)).toEqual({
      address: '203.0.113.7',
      host: 'bank.example',
      secure: true,
      lines: told('203.0.113.7, 10.0.0.5', 'https', 'bank.example'),
    });
    expect(read(['unix'], '', lines).lines?.[1]).toBe('203.0.113.7, unknown');
  });

  it('is the client itself when it says nothing', () => {
    expect(read(OWN, '10.0.0.5').lines).toEqual(told('10.0.0.5'));
    expect(read(OWN, '10.0.0.5', {}, TLS).lines).toEqual(told('10.0.0.5', 'https'));
  });

  it('knows the scheme better than its own connection shows', () => {
    const origin = read(OWN, '10.0.0.5', { 'x-forwarded-proto': 'http' }, TLS);
    expect([origin.secure, origin.lines?.[3]]).toEqual([false, 'http']);
  });

  it.each([
    ['the rightmost that is not trusted', '1.1.1.1, 203.0.113.7, 10.1.1.1, 2001:db8::9'],
    ['over several lines', ['1.1.1.1', '203.0.113.7,10.1.1.1', '2001:db8::9']],
    ['with ports and empty elements', '1.1.1.1, 203.0.113.7:4711,,10.1.1.1 , [2001:db8::9]:443, '],
  ])('names the client: %s', (_name, chain) => {
    const origin = read(OWN, '10.0.0.5', { 'x-forwarded-for': chain });
    expect(origin.address).toBe('203.0.113.7');
    expect(origin.lines?.[1]).toBe('203.0.113.7, 10.1.1.1, 2001:db8::9, 10.0.0.5');
  });

  it('names the farthest proxy when all of them are trusted', () => {
    expect(read(OWN, '10.0.0.5', { 'x-forwarded-for': '10.3.3.3, 10.1.1.1' }).address).toBe('10.3.3.3');
  });

  it.each(['unknown', '_hidden', 'bogus', '1.2.3.4.5', '"203.0.113.7"', '[203.0.113.7', '1.2.3.4:x'])(
    'does not know the client behind %j',
    (word) => {
      const origin = read(OWN, '10.0.0.5', { 'x-forwarded-for': `203.0.113.7, ${word}, 10.1.1.1` });
      expect(origin.address).toBe('unknown');
      expect(origin.lines?.[1]).toBe('unknown, 10.1.1.1, 10.0.0.5');
    },
  );

  it('is read from the right, however much stands left of the client', () => {
    const lines = [','.repeat(100_000), `${'10.0.0.9,'.repeat(1_000)} 192.0.2.7,, 10.0.0.8,`, ' , ,'];
    const { address, lines: toldLines } = read(OWN, '10.0.0.1', { 'x-forwarded-for': lines });
    expect(address).toBe('192.0.2.7');
    expect(toldLines?.[1]).toBe('192.0.2.7, 10.0.0.8, 10.0.0.1');
  });

  it('is followed over 32 hops and no further', () => {
    const chain = (hops: number) => `203.0.113.7${', 10.1.1.1'.repeat(hops)}`;
    expect(read(OWN, '10.0.0.5', { 'x-forwarded-for': chain(31) }).address).toBe('203.0.113.7');
    const long = read(OWN, '10.0.0.5', { 'x-forwarded-for': chain(10_000) });
    expect(long.address).toBe('unknown');
    expect(long.lines?.[1]?.split(', ')).toHaveLength(34);
  });

  it.each([
    ['https', 'https'],
    ['WSS', 'https'],
    ['ws', 'http'],
    ['https, http', 'http'],
    [['http', 'https'], 'https'],
    ['gopher', 'http'],
    ['constructor', 'http'],
  ])('says the scheme %j: %s', (said, scheme) => {
    expect(read(OWN, '10.0.0.5', { 'x-forwarded-proto': said }).lines?.[3]).toBe(scheme);
  });

  it.each([
    ['a.example, b.example:8443', 'b.example:8443'],
    ['[2001:db8::1]:80', '[2001:db8::1]:80'],
    ['evil/path', 'chat.example'],
    ['', 'chat.example'],
  ])('says the host %j: %s', (said, host) => {
    expect(read(OWN, '10.0.0.5', { 'x-forwarded-host': said }).host).toBe(host);
  });
});

describe('names and entries', () => {
  it('knows the headers that tell about clients', () => {
    const told = ['X-Forwarded-For', 'x_forwarded_for', 'X-Forwarded-Prefix', 'Forwarded', 'X-Real-IP'];
    expect(told.every(isForwardedName)).toBe(true);
    expect(['X-Forward', 'Forwarded-By', 'X-Real', 'Via'].some(isForwardedName)).toBe(false);
  });

  it('checks entries', () => {
    expect(['unix', '10.0.0.0/8', '::1'].every((text) => checkTrustedProxy(text).ok)).toBe(true);
    expect(checkTrustedProxy('proxy')).toEqual({ ok: false, error: 'it is not an IP address' });
  });
});
