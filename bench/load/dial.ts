/**
 * One connection to a server under test, over TLS or not, reading into a buffer of the caller's.
 */
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Address } from './orders.ts';

/** Dials; what is written before the connection stands waits for it. */
export function dial(
  address: Address,
  options: { readonly onread: OnReadOpts; readonly localAddress?: string },
): Socket {
  const { host, port, tls } = address;
  if (!tls) return connect({ host, port, noDelay: true, ...options });
  const socket = connectTls({ host, port, rejectUnauthorized: false, ...options });
  return socket.setNoDelay(true);
}
