/**
 * What an operator, a test or the simulator may set about a replica, and the defaults.
 *
 * Times are milliseconds of the monotonic clock. Bounds that must be the same on every node, because
 * the replicas would drift apart otherwise, are no settings: they stand in `base/limits.ts`.
 */

/** The settings of one replica. */
export interface ReplicaSettings {
  /** How often a master is heard of at least. */
  readonly heartbeatMs: number;
  /** A follower campaigns after a silence between these two, drawn anew each time. */
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
  /** Followers learn of a commit with the next entries, or after this time. */
  readonly commitNewsMs: number;
  /** An append that was not answered for this long is taken for lost. */
  readonly resendMs: number;
  /** More voters make every commit slower and no failure likelier to be survived. */
  readonly votersMax: number;
  /** A voter that was silent for this long is replaced by a learner, where there is one. */
  readonly voterDownMs: number;
  /** How long a removed member is told of it, if it does not answer. */
  readonly farewellMs: number;
  /** Payload of one append; a single larger entry goes alone. */
  readonly appendBytesMax: number;
  /** Appends with entries on their way to one member, and their payload. */
  readonly appendsInFlightMax: number;
  readonly appendBytesInFlightMax: number;
  /** One piece of a snapshot. */
  readonly pieceBytesMax: number;
  /** A larger snapshot from a master is not taken. */
  readonly snapshotBytesMax: number;
  /** Entries before the snapshot that stay in memory for slow followers. */
  readonly keptBytesMax: number;
  /** A larger submission is refused as `too_large`. */
  readonly entryBytesMax: number;
  /** Proposals that are not committed yet, and their payload; then `busy`. */
  readonly proposalsMax: number;
  readonly proposalBytesMax: number;
  /** Reads that wait for their confirmation, and membership changes that wait for their turn. */
  readonly readsMax: number;
  readonly changesMax: number;
  /** A learner that is no more entries than this behind may become a voter. */
  readonly promotionLagMax: number;
  /** Entries that one turn hands out; the rest follows in the next. */
  readonly handOutMax: number;
}

const KIB = 1_024;
const MIB = 1_024 * KIB;

/** Fit for a local network and ordinary disks. */
export const REPLICA_DEFAULTS: ReplicaSettings = {
  heartbeatMs: 100,
  electionMinMs: 1_000,
  electionMaxMs: 2_000,
  commitNewsMs: 5,
  resendMs: 400,
  votersMax: 5,
  voterDownMs: 600_000,
  farewellMs: 60_000,
  appendBytesMax: 256 * KIB,
  appendsInFlightMax: 16,
  appendBytesInFlightMax: 2 * MIB,
  pieceBytesMax: 256 * KIB,
  snapshotBytesMax: 1_024 * MIB,
  keptBytesMax: 16 * MIB,
  entryBytesMax: 4 * MIB,
  proposalsMax: 8_192,
  proposalBytesMax: 32 * MIB,
  readsMax: 65_536,
  changesMax: 64,
  promotionLagMax: 64,
  handOutMax: 1_024,
};
