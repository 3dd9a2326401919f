/** What is said about certificate files, each in its own words, and never a byte of a key. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CertificatePair, TestAuthority } from '../../../test/support/index.ts';
import { failed, ok } from '../../base/index.ts';
import type { TlsConfig } from '../../config/index.ts';
import { type FileReading, readTlsMaterial } from './tls-material.ts';

const DAY_MS = 24 * 3_600_000;
let authority: TestAuthority;
let chat: CertificatePair;
let other: CertificatePair;
let locked: CertificatePair;

beforeAll(() => {
  authority = new TestAuthority();
  chat = authority.issue({ name: 'chat', names: ['DNS:chat.example', 'DNS:*.chat.example', 'IP:127.0.0.1'] });
  other = authority.issue({ name: 'other', names: ['DNS:other.example'] });
  locked = authority.issue({ name: 'locked', names: ['DNS:locked.example'], passphrase: 'tulip' });
});

const read = (path: string): FileReading => {
  try {
    return ok({ text: readFileSync(path, 'utf8'), readableByAll: path.includes('open') });
  } catch {
    return failed('there is no such file');
  }
};

function write(name: string, text: string): string {
  const path = join(authority.folder, name);
  writeFileSync(path, text);
  return path;
}

function look(
  certificates: Partial<TlsConfig['certificates'][number]>[],
  more: Partial<TlsConfig> = {},
  nowMs = Date.now(),
) {
  const config: TlsConfig = {
    certificates: certificates.map((files) => ({
      cert: chat.cert,
      key: chat.key,
      passphrase: null,
      ...files,
    })),
    minVersion: '1.2',
    unknownName: 'default',
    clientCertificates: 'off',
    clientCa: null,
    ...more,
  };
  return readTlsMaterial(config, read, nowMs);
}

describe('files that can be used', () => {
  it('are read with their names and their end', () => {
    const looked = look([{}, { cert: locked.cert, key: locked.key, passphrase: 'tulip' }]);
    expect(looked).toMatchObject({ problems: [], warnings: [] });
    expect(looked.facts.map(({ names }) => names)).toEqual([
      ['chat.example', '*.chat.example'],
      ['locked.example'],
    ]);
    const days = ((looked.facts[0]?.expiresAtMs ?? 0) - Date.now()) / DAY_MS;
    expect(Math.round(days)).toBe(30);
    expect(looked.material).toEqual({
      certificates: [
        { cert: chat.certPem, key: chat.keyPem, passphrase: null },
        { cert: locked.certPem, key: locked.keyPem, passphrase: 'tulip' },
      ],
      clientCa: null,
    });
  });

  it('may hold a chain, and words between its blocks', () => {
    const chain = write('chain.crt', `Subject: chat\n${chat.certPem}\nIssuer\n${authority.root.certPem}`);
    expect(look([{ cert: chain }])).toMatchObject({ problems: [], warnings: [] });
  });

  it.each<[string, () => ReturnType<typeof look>, RegExp]>([
    ['an expired certificate', () => look([{}], {}, Date.now() + 31 * DAY_MS), /has expired on 20\d\d-/],
    [
      'a key that all can read',
      () => look([{ key: write('open.key', chat.keyPem) }]),
      /open\.key: every user/,
    ],
    [
      'a chain out of order',
      () => look([{ cert: write('mixed.crt', chat.certPem + other.certPem) }]),
      /"CN=chat\.example" was not issued by "CN=other\.example"/,
    ],
    [
      'a certificate without names',
      () => {
        const bare = authority.issue({ name: 'bare' });
        return look([{ cert: bare.cert, key: bare.key }]);
      },
      /has no DNS names/,
    ],
    [
      'an authority that has expired',
      () =>
        look(
          [{}],
          { clientCertificates: 'required', clientCa: authority.root.cert },
          Date.now() + 31 * DAY_MS,
        ),
      /client_ca .*"CN=authority" has expired/,
    ],
  ])('draw a warning: %s', (_what, act, warning) => {
    const looked = act();
    expect(looked.problems).toEqual([]);
    expect(looked.material).not.toBeNull();
    expect(looked.warnings.join('\n')).toMatch(warning);
  });
});

describe('files that cannot be used', () => {
  it.each<[string, () => ReturnType<typeof look>, RegExp]>([
    [
      'a missing certificate',
      () => look([{ cert: '/no/such' }]),
      /^tls\.certificates\.0\.cert \/no\/such: there is no/,
    ],
    [
      'a missing key',
      () => look([{}, { key: '/no/such' }]),
      /^tls\.certificates\.1\.key \/no\/such: there is no/,
    ],
    ['a key as certificate', () => look([{ cert: chat.key }]), /no PEM certificate in it/],
    ['a certificate as key', () => look([{ key: chat.cert }]), /no PEM private key in it/],
    [
      'the key of another',
      () => look([{ key: other.key }]),
      /does not belong to the certificate in .*chat\.crt/,
    ],
    [
      'a key that is locked',
      () => look([{ cert: locked.cert, key: locked.key }]),
      /has a passphrase, and none/,
    ],
    [
      'a wrong passphrase',
      () => look([{ cert: locked.cert, key: locked.key, passphrase: 'rose' }]),
      /the passphrase is wrong, or the key is damaged/,
    ],
    [
      'a damaged certificate',
      () => look([{ cert: write('torn.crt', chat.certPem.replace(/\n.{20}/, '\n')) }]),
      /a certificate in it cannot be read/,
    ],
    [
      'a damaged key',
      () => look([{ key: write('torn.key', chat.keyPem.replace(/\n.{20}/, '\n')) }]),
      /the key cannot be read/,
    ],
    [
      'a certificate of tomorrow',
      () => look([{}], {}, Date.now() - 2 * DAY_MS),
      /is not valid before 20\d\d-/,
    ],
    [
      'an authority that is none',
      () => look([{}], { clientCertificates: 'required', clientCa: other.cert }),
      /^tls\.client_ca .*"CN=other\.example" is no certificate authority/,
    ],
    [
      'no authority at all',
      () => look([{}], { clientCertificates: 'required', clientCa: chat.key }),
      /^tls\.client_ca .*no PEM certificate/,
    ],
  ])('are refused: %s', (_what, act, problem) => {
    const looked = act();
    expect(looked.material).toBeNull();
    expect(looked.problems.join('\n')).toMatch(problem);
  });

  it('are all told at once, without a secret', () => {
    const looked = look([
      { key: other.key },
      { cert: '/no' },
      { cert: locked.cert, key: locked.key, passphrase: 'rose' },
    ]);
    expect(looked.problems).toHaveLength(3);
    const told = JSON.stringify([looked.problems, looked.warnings]);
    for (const secret of [
      'rose',
      ...other.keyPem.split('\n').filter((line) => line.length > 20 && !line.startsWith('---')),
    ]) {
      expect(told).not.toContain(secret);
    }
  });

  it('are refused when OpenSSL finds them too weak', () => {
    const weak = weakPair();
    expect(look([weak]).problems.join()).toMatch(/OpenSSL refuses it: ee key too small/);
  });
});

/** RSA with a key that OpenSSL takes no longer. */
function weakPair(): { cert: string; key: string } {
  const words = ['-newkey', 'rsa:512'];
  return authority.issue({ name: 'weak', names: ['DNS:weak.example'], keyWords: words });
}
