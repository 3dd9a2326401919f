/**
 * What lies under a TLS socket: the accepted socket, and how much of a write the kernel has taken.
 *
 * The one file that touches the fields in which node:tls keeps this. Where they are missing, a write
 * counts as not taken, which costs time and nothing else.
 */
import type { Socket } from 'node:net';

interface Handle {
  /** Bytes that the kernel did not take so far. */
  readonly writeQueueSize?: number;
}
type LayeredSocket = Socket & { readonly _parent?: (Socket & { readonly _handle?: Handle | null }) | null };

/** The accepted socket under a TLS socket; null for any other. */
export function acceptedSocketOf(socket: Socket): Socket | null {
  return (socket as LayeredSocket)._parent ?? null;
}

/**
 * Whether the kernel took all of the one write that a TLS socket still counts as under way. node:tls
 * says that a write is done a turn later than it is, even when the kernel took it at once.
 */
export function isTakenBelow(socket: Socket): boolean {
  return (socket as LayeredSocket)._parent?._handle?.writeQueueSize === 0;
}
