/**
 * What the application hears of a client's certificate: header lines of the connect callback.
 *
 * Only a certificate that was verified comes this far; who verified it is `net/`. Clients cannot
 * forge these lines, because every name that begins with `X-Arrokoth-` is taken from what they send.
 */
import { encodeUtf8 } from '../../base/index.ts';

/** A client's certificate, verified. */
export interface ClientCertificate {
  /** One `name=value` a line, the most general first, with the special characters escaped (RFC 4514). */
  readonly subject: string;
  /** Alternative names such as `DNS:a.example, URI:spiffe://b`; empty when there are none. */
  readonly names: string;
  /** SHA-256 of the whole certificate: 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
}

/** What TLS showed of a client. */
export interface ClientTls {
  /** Whether clients of this listener are asked for a certificate. */
  readonly certificateAsked: boolean;
  /** Null: it showed none. */
  readonly certificate: ClientCertificate | null;
}

type Line = readonly [name: string, value: string];

/** Frameworks refuse longer lines. Such a text is left out as a whole: half a name is another name. */
const VALUE_LENGTH_MAX = 4_096;

/** The lines that a connect callback carries; none where nobody is asked for a certificate. */
export function certificateLines({ certificateAsked, certificate }: ClientTls): Line[] {
  if (!certificateAsked) return [];
  if (certificate === null) return [['X-Arrokoth-Client-Cert-Verified', 'no']];
  const { subject, names, fingerprint } = certificate;
  const texts: Line[] = [
    ['X-Arrokoth-Client-Cert-Subject', distinguishedName(subject)],
    ['X-Arrokoth-Client-Cert-Names', asciiOf(names)],
  ];
  return [
    ['X-Arrokoth-Client-Cert-Verified', 'yes'],
    ['X-Arrokoth-Client-Cert-Fingerprint', fingerprint],
    ...texts.filter(([, value]) => value !== '' && value.length <= VALUE_LENGTH_MAX),
  ];
}

/** As RFC 4514 writes it: on one line, the most specific name first. */
function distinguishedName(subject: string): string {
  return asciiOf(subject.split('\n').reverse().join(','));
}

/** Bytes beyond visible ASCII become `\XX` (RFC 4514 2.4), so that no framework guesses an encoding. */
function asciiOf(text: string): string {
  return [...text]
    .map((character) => (/[ -~]/.test(character) ? character : escapeBytes(character)))
    .join('');
}

function escapeBytes(character: string): string {
  const bytes = [...encodeUtf8(character)];
  return bytes.map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
