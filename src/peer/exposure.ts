/**
 * Whether the port for other nodes may be opened at an address.
 *
 * Whoever reaches that port can end a cluster's life, so without secrets and without client
 * certificates it is for programs on the same host only. The caller binds; here is the rule.
 */
import { ArrokothError, failed, ok, type Result } from '../base/index.ts';
import { parseAddress } from '../relay/index.ts';

/** An address that is to be listened on, and what protects it. */
export interface Exposure {
  /** As in a configuration; null means all interfaces. */
  readonly host: string | null;
  readonly hasSecrets: boolean;
  /** TLS asks every client for a certificate, and refuses those that have none. */
  readonly requiresCertificates: boolean;
}

/** The refusal names the address and the ways out. */
export function checkExposure(exposure: Exposure): Result<null, ArrokothError> {
  const { host, hasSecrets, requiresCertificates } = exposure;
  if (hasSecrets || requiresCertificates || (host !== null && isLoopback(host))) return ok(null);
  const shown = host === null ? 'all interfaces' : host;
  const details =
    `Listening for other nodes on ${shown} needs a shared secret or client certificates; ` +
    'without either, only a loopback address such as 127.0.0.1 may be used.';
  return failed(new ArrokothError('CLUSTER_PORT_OPEN', details));
}

/** Whether only programs on this host reach `host`. Names are not resolved; `localhost` is known. */
export function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (plain === 'localhost') return true;
  const address = parseAddress(plain);
  if (address === null) return false;
  if (address.length === 4) return address[0] === 127;
  return address.every((group, place) => group === (place === address.length - 1 ? 1 : 0));
}
