/** `tls` and what hangs on it: whole entries, both halves of every pair, no secret in a message. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../load.ts';

const PAIR = '{ cert: a.crt, key: a.key }';

function load(text: string, env: Record<string, string> = {}) {
  return parseConfig({ text, path: 'c.yml', env });
}

function complaints(text: string, env: Record<string, string> = {}): string {
  const outcome = load(text, env);
  if (outcome.ok) return '';
  return outcome.error.map(({ line, key, message }) => `${line} ${key}: ${message}`).join('\n');
}

function config(text: string, env: Record<string, string> = {}) {
  const outcome = load(text, env);
  if (!outcome.ok) throw new Error(complaints(text, env));
  return outcome.value.config;
}

describe('tls', () => {
  it.each(['', 'tls:', 'tls: { certificates: [] }', 'tls: { min_version: 1.3 }'])('is off: %j', (text) => {
    expect(config(text)).toMatchObject({ tls: null, trustedProxies: null });
  });

  it('takes certificates, and has closed defaults', () => {
    const second = '{ cert: b, key: c, passphrase: "$' + '{SECRET}" }';
    const text = `tls:\n  certificates:\n    - ${PAIR}\n    - ${second}\n`;
    const { tls, trustedProxies, app, api } = config(text, { SECRET: 'x y' });
    expect(tls).toEqual({
      certificates: [
        { cert: 'a.crt', key: 'a.key', passphrase: null },
        { cert: 'b', key: 'c', passphrase: 'x y' },
      ],
      minVersion: '1.2',
      unknownName: 'default',
      clientCertificates: 'off',
      clientCa: null,
    });
    expect({ trustedProxies, app: app.tls, api: api.tls }).toEqual({
      trustedProxies: [],
      app: false,
      api: false,
    });
  });

  it('leaves trusted_proxies as they are set', () => {
    const text = `trusted_proxies: [10.0.0.1]\ntls: { certificates: [${PAIR}] }`;
    expect(config(text).trustedProxies).toEqual(['10.0.0.1']);
  });

  it('is shared by the other listeners that ask for it', () => {
    const text = `tls: { certificates: [${PAIR}] }\napp: { listen: "127.0.0.1:1", tls: true }\n`;
    expect(config(text).app.tls).toBe(true);
  });

  it.each([
    ['a single value', 'a.crt', /2 tls\.certificates: expected a list such as \[\{ cert/],
    ['a mapping', PAIR, /2 tls\.certificates: expected a list such as/],
    ['entries that are no mappings', '[a.crt]', /2 tls\.certificates\.0: expected a list .* in it/],
    ['an entry without a key', '[{ cert: a }]', /certificates\.0: expected cert and key/],
    ['an entry with an empty key', '[{ cert: a, key: "" }]', /expected cert and key/],
    ['an unknown part', '[{ cert: a, key: b, ca: c }]', /expected cert, key and passphrase, got "ca"/],
    ['a list as a file', '[{ cert: [a], key: b }]', /cert: expected a single value/],
    ['too many', `[${Array(65).fill(PAIR).join(', ')}]`, /expected at most 64 entries, got 65/],
    ['an empty passphrase', '[{ cert: a, key: b, passphrase: "" }]', /passphrase: expected .* got nothing/],
  ])('refuses %s', (_what, value, message) => {
    expect(complaints(`tls:\n  certificates: ${value}\n`)).toMatch(message);
  });

  it('never shows a passphrase', () => {
    const secret = 's3cret'.repeat(200);
    const message = complaints(`tls: { certificates: [{ cert: a, key: b, passphrase: ${secret} }] }`);
    expect(message).toMatch(/passphrase of 1 to 1024 characters, got "\*\*\*"/);
    expect(message).not.toContain('s3cret');
  });

  it.each([
    ['client_certificates: optional, client_ca: ca', /tls\.client_certificates: expected tls\.certificates/],
    [`certificates: [${PAIR}], client_certificates: required`, /expected tls\.client_ca beside it/],
    [`certificates: [${PAIR}], client_ca: ca`, /tls\.client_ca: expected tls\.client_certificates/],
  ])('refuses half of a pair: %s', (keys, message) => {
    expect(complaints(`tls: { ${keys} }`)).toMatch(message);
  });

  it.each([
    ['app: { listen: "127.0.0.1:1", tls: true }', /app\.tls: expected tls\.certificates/],
    ['api: { listen: "127.0.0.1:1", tls: true }', /api\.tls: expected tls\.certificates/],
    [`tls: { certificates: [${PAIR}] }\napp: { tls: true }`, /app\.tls: expected app\.listen/],
  ])('refuses a listener that could not speak it: %s', (text, message) => {
    expect(complaints(text)).toMatch(message);
  });
});
