/** The host's digests against published vectors. */
import { expect, test } from 'vitest';
import { systemDigest } from './digest.ts';

test('SHA-256 of FIPS 180-4', () => {
  expect(systemDigest.sha256(Buffer.from('abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('HMAC-SHA256 of RFC 4231, with bytes above 127', () => {
  expect(systemDigest.hmacSha256('Jefe', 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
  expect(systemDigest.hmacSha256('\xaa'.repeat(20), '\xdd'.repeat(50))).toBe(
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  );
});
