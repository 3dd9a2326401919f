/**
 * Addresses to listen on: `127.0.0.1:9181`, `:9181`, `[::1]:9181`, `localhost:0`.
 *
 * Nothing is resolved or bound here. Whether an address can be reached from outside this host
 * decides if its listener may go without a token.
 */
import { failed, ok, type Result } from '../../base/index.ts';
import type { TcpAddress } from '../config.ts';

const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);

const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);

/** Reads `host:port`; an empty host means all interfaces. The failure says what is wrong. */
export function parseTcpAddress(text: string): Result<TcpAddress, string> {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (parts === null) return failed('it is not host:port');
  const port = Number(parts[3]);
  if (port > 65_535) return failed(`port ${port} is above 65535`);
  const bracketed = parts[1];
  if (bracketed !== undefined) {
    return isIPv6(bracketed) ? ok({ host: bracketed, port }) : failed('only IPv6 stands in [ ]');
  }
  const host = parts[2] as string;
  if (host === '') return ok({ host: null, port });
  return isHost(host) ? ok({ host, port }) : failed(`${JSON.stringify(host)} is not a host`);
}

/** Whether `text` is an IP address or could be a host's name. */
export function isHost(text: string): boolean {
  if (IPV4.test(text) || isIPv6(text)) return true;
  // Digits and dots that are no address are a mistyped address, never a name.
  return HOST_NAME.test(text) && !/^[\d.]+$/.test(text);
}

/** Whether only this host can reach a listener bound to `host` (null: all interfaces). */
export function isLoopback(host: string | null): boolean {
  if (host === null) return false;
  if (IPV4.test(host)) return host.startsWith('127.');
  if (!isIPv6(host)) return host.toLowerCase() === 'localhost';
  // The second form is that of 127.0.0.0/8 inside IPv6.
  return /^\[::(?:1|ffff:7f[\da-f]{2}:[\da-f]{1,4})\]$/.test(new URL(`http://[${host}]`).hostname);
}

/** Only `net/` knows node:net; the URL parser reads the same addresses, and writes them in one form. */
function isIPv6(text: string): boolean {
  return /^[\da-fA-F:.]+$/.test(text) && URL.canParse(`http://[${text}]`);
}

/** The notation that `parseTcpAddress` reads. */
export function formatTcpAddress(address: TcpAddress): string {
  const host = address.host ?? '';
  return isIPv6(host) ? `[${host}]:${address.port}` : `${host}:${address.port}`;
}
