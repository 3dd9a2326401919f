/**
 * The world of one node of a replicated log, as `main/library.ts` gives it and tests pretend it.
 *
 * Interfaces only.
 */
import type { ArrokothError, Clock, Logger, Meter, Random, Result, Timers } from '../base/index.ts';
import type { KnownKinds, MemberName, Restored } from '../consensus/index.ts';
import type { PeerEvents, PeerIdentity, PeerTransport } from '../peer/index.ts';
import type { LogReplica } from './log-status.ts';
import type { LogStore } from './log-store.ts';

/** What the data directory held. */
export interface OpenedJournal {
  readonly journal: LogStore;
  readonly restored: Restored;
  /** Drawn when the directory was made: what a vote is bound to, beside the name. */
  readonly storage: string;
}

/** The port that peers call, and the way to call them. */
export interface PeerPort {
  readonly transport: PeerTransport;
  /** Calls under way are ended. */
  close(): Promise<void>;
}

/** What a replica is made from. */
export interface ReplicaFacts {
  readonly name: MemberName;
  readonly storage: string;
  readonly knows: KnownKinds;
  readonly restored: Restored;
}

/** What a new cluster begins with. */
export type FoundingFacts = Omit<ReplicaFacts, 'restored'> & { readonly incarnation: string };

/** Everything that a node reaches the world through. */
export interface LogDoors {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly openJournal: () => Result<OpenedJournal, ArrokothError>;
  readonly createReplica: (facts: ReplicaFacts) => LogReplica;
  readonly found: (facts: FoundingFacts) => Restored;
  /** Listens before it resolves. */
  readonly openPeers: (identity: PeerIdentity, events: PeerEvents) => Promise<PeerPort>;
}
