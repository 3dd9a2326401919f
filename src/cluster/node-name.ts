/**
 * The names of nodes: `name@host`, where peers reach the node at that host.
 *
 * How names are written, nothing else; who may have one is decided by the log.
 */
import { CLUSTER_LIMITS } from '../base/index.ts';
import type { NodeName } from './types.ts';

const NODE_NAME = /^[^\s@/]+@([^\s@/]+)$/;

/** True for `name@host` of at most as many characters as a name may have. */
export function isNodeName(text: string): boolean {
  return text.length <= CLUSTER_LIMITS.nodeNameCharactersMax && NODE_NAME.test(text);
}

/** The part behind the `@`; null when `name` is none. */
export function hostOf(name: NodeName): string | null {
  return NODE_NAME.exec(name)?.[1] ?? null;
}
