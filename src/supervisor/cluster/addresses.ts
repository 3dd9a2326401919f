/**
 * Where the supervisor of a node is reached, from the node's name.
 *
 * Pure. The log knows members by their address, the state knows nodes by their name; all nodes of a
 * cluster listen on the same port, so that either follows from the other.
 */
import type { NodeName } from '../../cluster/index.ts';
import type { MemberName } from '../../consensus/index.ts';

/** Of a node without a port: nobody ever calls it. */
const NOWHERE: MemberName = 'http://localhost';

/** The address of `node`; `port` null: the node is by itself. */
export function addressOf(node: NodeName, port: number | null): MemberName {
  if (port === null) return NOWHERE;
  const host = node.slice(node.indexOf('@') + 1).replace(/^\[(.*)\]$/, '$1');
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** `name@host`, with a host that can stand in an address. */
export function isNodeName(text: unknown): text is NodeName {
  if (typeof text !== 'string' || text.length > 512) return false;
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}@[^@/?#\s]+$/.test(text) && URL.canParse(addressOf(text, 1));
}
