/**
 * The bounds of what the workers of different nodes say to each other, with the reason for each.
 *
 * Links within a node have theirs in `limits.ts`; links between nodes have those and these.
 */

/** Bounds that nobody has to tune. */
export const MESH_LIMITS = {
  /** A greeting has names of 300 bytes, nonces, a proof; before it nobody is read any further. */
  greetingBytesMax: 4_096,
  /** Sockets of other hosts that have not shown who they are; further ones are cut at once. */
  strangersMax: 256,
  /** A silent peer of another host is asked by the kernel after this whether it is still there. */
  keepAliveMs: 1_000,
  /** A home of a key that is silent for so long is stood in for by another. */
  homeSilentMs: 200,
  /** How long a connect may take to be registered on another node, and to end the one it replaces. */
  registrationMs: 1_000,
} as const;
