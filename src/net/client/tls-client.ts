/**
 * What is known about the client at the other end of a TLS socket, kept with the socket.
 *
 * `tls-sockets.ts` notes it when a handshake is done; requests ask for it.
 */
import type { Socket } from 'node:net';
import type { ClientTls } from '../../relay/index.ts';

const CLIENT = Symbol('tls client');
type KnownSocket = Socket & { [CLIENT]?: ClientTls };

/** Keeps what TLS showed of the client with its socket. */
export function noteTlsClient(socket: Socket, client: ClientTls): void {
  (socket as KnownSocket)[CLIENT] = client;
}

/** What was noted; null for a socket that does not speak TLS. */
export function tlsClientOf(socket: Socket): ClientTls | null {
  return (socket as KnownSocket)[CLIENT] ?? null;
}
