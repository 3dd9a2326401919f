/** What the application hears of a client's certificate. */
import { describe, expect, it } from 'vitest';
import { certificateLines } from './client-certificate.ts';

const FINGERPRINT = 'ab'.repeat(32);

function lines(subject: string, names = '') {
  const certificate = { subject, names, fingerprint: FINGERPRINT };
  return Object.fromEntries(certificateLines({ certificateAsked: true, certificate }));
}

describe('certificateLines', () => {
  it('says nothing where nobody is asked', () => {
    expect(certificateLines({ certificateAsked: false, certificate: null })).toEqual([]);
  });

  it('says that a client showed none', () => {
    expect(certificateLines({ certificateAsked: true, certificate: null })).toEqual([
      ['X-Arrokoth-Client-Cert-Verified', 'no'],
    ]);
  });

  it('tells subject, names and fingerprint', () => {
    expect(lines('C=CH\nO=A\\, B\nCN=sensor-7', 'DNS:sensor-7.example, URI:spiffe://x/y')).toEqual({
      'X-Arrokoth-Client-Cert-Verified': 'yes',
      'X-Arrokoth-Client-Cert-Fingerprint': FINGERPRINT,
      'X-Arrokoth-Client-Cert-Subject': 'CN=sensor-7,O=A\\, B,C=CH',
      'X-Arrokoth-Client-Cert-Names': 'DNS:sensor-7.example, URI:spiffe://x/y',
    });
  });

  it('writes other bytes than visible ASCII as RFC 4514 does', () => {
    expect(lines('CN=Zo\u00eb\r\u{1f600}')['X-Arrokoth-Client-Cert-Subject']).toBe(
      'CN=Zo\\C3\\AB\\0D\\F0\\9F\\98\\80',
    );
  });

  it('leaves out what is empty or too long, and never cuts a name', () => {
    expect(Object.keys(lines('', `DNS:${'x'.repeat(4_096)}`))).toEqual([
      'X-Arrokoth-Client-Cert-Verified',
      'X-Arrokoth-Client-Cert-Fingerprint',
    ]);
  });
});
