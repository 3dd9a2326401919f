/**
 * The bounds of what a node does to be a member of its cluster, beside the log itself.
 *
 * Nobody has to tune them; what operators set has its defaults in `limits.ts`. What happens at a bound
 * stands next to its use.
 */

/** Calls between nodes that are no part of the log: introductions and bulletins, some hundred bytes each. */
export const NODE_CALL_LIMITS = {
  /** A list of as many members as there may be, with long names. */
  bytesMax: 64 * 1_024,
  /** Calls that a node has not answered yet; further ones are answered 503. */
  waitingMax: 256,
  /** To one node at a time, and how many may wait; then the oldest is given up. */
  connectionsMax: 4,
  waitingToOneMax: 16,
  /** Longer than a healthy node ever takes, shorter than the next bulletin. */
  timeoutMs: 1_500,
} as const;

/** How a supervisor keeps its node in the cluster (`supervisor/cluster/`). */
export const MEMBER_LIMITS = {
  /** How often it looks whether it is up, and as the master who is silent. */
  reviewMs: 250,
  /** A master that was itself stopped for longer has not listened, and judges nobody for a while. */
  pauseMs: 1_000,
  /** What one submission about a node may take before it is looked at anew. */
  submitMs: 5_000,
  /** How long a node that stops waits for the others to take note of it. */
  farewellMs: 2_000,
  /** How often nodes tell of themselves, and after which silence they count as not connected. */
  bulletinPeriodMs: 2_000,
  connectedMs: 5_000,
  /** Workers are told of bulletins at most this often. */
  bulletinNewsMs: 500,
  /** How long a listed node holds itself ready for the one that founds a cluster with it. */
  reservationMs: 10_000,
  /** How long an operation waits for what it began to be true on this node. */
  operationMs: 10_000,
  /** What operators may have under way at once; further ones are refused. */
  operationsMax: 32,
  /** Rest between two rounds of joining by the contact list, doubled up to the maximum. */
  joinRetryMs: 500,
  joinRetryMaxMs: 15_000,
  /** How long the answer to a changed mode waits for the workers to know it. */
  grantedMs: 1_000,
  /** More would make each commit wait for more disks; further members follow without voting. */
  votersMax: 7,
  /** A lone node's log holds a few lines for each start: full segments would cost a small disk all it has. */
  loneSegmentBytes: 256 * 1_024,
} as const;
