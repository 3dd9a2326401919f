/**
 * Why a handshake came to nothing, in few words that a metric can count by.
 *
 * Node tells OpenSSL's reasons as error codes; there are hundreds of them, and most of them say the
 * same thing to an operator.
 */

/** Causes of failed handshakes; docs/guides/tls.md says what to do about each. */
export type TlsFailure =
  /** Not done in time, the head of the first request included. */
  | 'timeout'
  /** The client left without a word. */
  | 'gone'
  /** It spoke HTTP without TLS. */
  | 'plain_http'
  /** It spoke something else, or garbage. */
  | 'not_tls'
  | 'version'
  | 'cipher'
  /** It speaks nothing but HTTP/2 or another protocol that we do not. */
  | 'protocol'
  | 'unknown_name'
  | 'client_certificate'
  /** The client did not like what it was shown: a chain that is not whole, another name, a date. */
  | 'rejected_by_client'
  /** It began a handshake within a connection, which is never allowed. */
  | 'renegotiation'
  | 'other';

const BY_CODE: Readonly<Record<string, TlsFailure>> = {
  ECONNRESET: 'gone',
  EPIPE: 'gone',
  ERR_SSL_HTTP_REQUEST: 'plain_http',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'plain_http',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not_tls',
  ERR_SSL_UNEXPECTED_MESSAGE: 'not_tls',
  ERR_SSL_BAD_RECORD_TYPE: 'not_tls',
  ERR_SSL_UNKNOWN_PROTOCOL: 'not_tls',
  ERR_SSL_RECORD_LENGTH_MISMATCH: 'not_tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not_tls',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_VERSION_TOO_LOW: 'version',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'cipher',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'cipher',
  ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS: 'cipher',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'protocol',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'client_certificate',
  ERR_SSL_CERTIFICATE_VERIFY_FAILED: 'client_certificate',
  ERR_SSL_NO_CERTIFICATE_RETURNED: 'client_certificate',
  ERR_TLS_RENEGOTIATION_DISABLED: 'renegotiation',
};

/** `nameRefused`: the client was shown no certificate, because of the name that it asked for. */
export function tlsFailureOf(code: string | undefined, nameRefused: boolean): TlsFailure {
  if (code === undefined) return 'other';
  if (/^ERR_SSL_.*ALERT/.test(code)) return 'rejected_by_client';
  const failure = BY_CODE[code] ?? 'other';
  return failure === 'cipher' && nameRefused ? 'unknown_name' : failure;
}
