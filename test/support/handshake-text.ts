/**
 * The request that asks for a WebSocket, as bytes under the test's control.
 *
 * In a file of its own, because clients in processes without a test runner need it too.
 */
import { randomBytes } from 'node:crypto';

/** What the request says; absent parts are those of a correct handshake. */
export interface HandshakeRequest {
  readonly host?: string;
  readonly port?: number;
  /** Path and query; `/connect` unless given. */
  readonly path?: string;
  readonly method?: string;
  /** Name, value, name, value; added to those of a correct handshake. */
  readonly headers?: readonly string[];
  /** Names of handshake headers to leave out. */
  readonly without?: readonly string[];
}

/** The text of a correct handshake, changed as `target` says. */
export function handshakeText(target: HandshakeRequest): string {
  const lines: [string, string][] = [
    ['Host', `${target.host ?? '127.0.0.1'}:${target.port ?? 80}`],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', randomBytes(16).toString('base64')],
    ['Sec-WebSocket-Version', '13'],
  ];
  const given = target.headers ?? [];
  const left = new Set((target.without ?? []).map((name) => name.toLowerCase()));
  for (let index = 0; index + 1 < given.length; index += 2) left.add((given[index] as string).toLowerCase());
  const kept = lines.filter(([name]) => !left.has(name.toLowerCase()));
  for (let index = 0; index + 1 < given.length; index += 2) {
    kept.push([given[index] as string, given[index + 1] as string]);
  }
  const head = kept.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${target.method ?? 'GET'} ${target.path ?? '/connect'} HTTP/1.1\r\n${head}\r\n`;
}
