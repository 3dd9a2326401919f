/**
 * All checkers, and which of them hears of what. Whoever breaks a promise is told by a `Violation`.
 *
 * It stands at the doors of the nodes (disk, network, state, client), so what it judges is what was
 * done, not what a replica says of itself; only commit index and contact age are claims by nature.
 */
import type {
  Ballot,
  Configuration,
  Entry,
  Index,
  Message,
  Persist,
  Snapshot,
} from '../src/consensus/index.ts';
import { AcknowledgedKept, type Acknowledgement } from './checkers/acknowledged-kept.ts';
import { AppliedInOrder } from './checkers/applied-in-order.ts';
import { CommitForward } from './checkers/commit-forward.ts';
import { ExactlyOnce } from './checkers/exactly-once.ts';
import { type Heard, HonestContact, type Party } from './checkers/honest-contact.ts';
import { checkLinearizable } from './checkers/linearizable.ts';
import { OneMaster } from './checkers/one-master.ts';
import { OneValue } from './checkers/one-value.ts';
import { OwnBallot } from './checkers/own-ballot.ts';
import { SafeMembership } from './checkers/safe-membership.ts';
import { SameState } from './checkers/same-state.ts';
import { History } from './history.ts';
import type { Totals } from './totals.ts';

/** What the judge may ask a node's replica; claims, not evidence. */
export interface Views {
  readonly commitIndex: Index;
  readonly lastIndex: Index;
  readonly ballot: Ballot;
  readonly isMaster: boolean;
  readonly configuration: Configuration;
  /** By the node's own clock; infinite: no contact yet. */
  readonly contactAgeMs: number;
}

/** What a process begins with. */
export interface Beginning {
  readonly snapshot: Snapshot | null;
  readonly entries: readonly Entry[];
}

/** Watches one cluster. */
export class Judge {
  readonly history = new History();
  readonly #totals: Totals;
  readonly #values = new OneValue();
  readonly #order = new AppliedInOrder();
  readonly #states = new SameState();
  readonly #acknowledged = new AcknowledgedKept((index) => this.#values.at(index));
  readonly #once = new ExactlyOnce();
  readonly #commits = new CommitForward();
  readonly #masters = new OneMaster();
  readonly #membership = new SafeMembership();
  readonly #ballots = new OwnBallot();
  readonly #contact: HonestContact;
  #configured: { readonly index: Index; readonly configuration: Configuration } = {
    index: 0,
    configuration: { members: [] },
  };

  constructor(totals: Totals, driftMax: number) {
    this.#totals = totals;
    this.#contact = new HonestContact(driftMax);
  }

  /** The newest committed membership that any node has applied. */
  get configuration(): Configuration {
    return this.#configured.configuration;
  }

  /** That one, and all that were appended since and may yet be committed. */
  get configurationsInUse(): readonly Configuration[] {
    return [this.#configured.configuration, ...this.#membership.inUse(this.#configured.index)];
  }

  /** The highest index that any node has applied. */
  get highestIndex(): Index {
    return this.#values.highest;
  }

  started(who: string, beginning: Beginning): void {
    this.#order.started(who, 0);
    this.#commits.started(who);
    this.#contact.started(who);
    this.#membership.started(who, beginning.snapshot, beginning.entries);
  }

  emptied(who: string): void {
    this.#membership.emptied(who);
  }

  persisting(who: string, batch: Persist, commitIndex: Index): void {
    if (batch.snapshot !== null) this.#membership.replaced(who, batch.snapshot);
    this.#membership.appended(who, batch.entries, commitIndex);
    this.#ballots.appended(batch.entries);
  }

  /** Returns what the message carries for `received`. */
  sent(from: Party, to: string, message: Message, nowMs: number): number {
    this.#masters.sent(from.name, to, message);
    return this.#contact.sent(from, message, nowMs);
  }

  received(by: Party, from: string, message: Message, heard: Heard): void {
    this.#contact.received(by, from, message, heard);
  }

  applied(who: string, entry: Entry, hash: number): void {
    this.#values.applied(who, entry);
    this.#order.applied(who, entry.index);
    this.#once.applied(who, entry);
    this.#states.reached(who, entry.index, hash);
    if (entry.payload.type !== 'members' || entry.index <= this.#configured.index) return;
    this.#configured = { index: entry.index, configuration: entry.payload.configuration };
    this.#totals.membershipChanges++;
  }

  installed(who: string, snapshot: Snapshot, hash: number): void {
    this.#order.installed(who, snapshot.index);
    this.#states.reached(who, snapshot.index, hash);
  }

  acknowledged(who: string, told: Acknowledgement): void {
    this.#acknowledged.acknowledged(who, told);
    this.#totals.acknowledged++;
  }

  /** The node has taken a turn. */
  turned(who: string, nowMs: number, views: Views): void {
    this.#commits.turned(who, views.commitIndex, views.lastIndex);
    this.#ballots.turned(who, views);
    const { contactAgeMs: ageMs, configuration } = views;
    if (ageMs !== Number.POSITIVE_INFINITY) this.#contact.claimed({ who, nowMs, ageMs, configuration });
  }

  /** A member of the healed and quiet cluster has applied up to `index`. */
  converged(who: string, index: Index): void {
    this.#acknowledged.converged(who, index);
  }

  /** Puts the whole history in order; the registers that could not be decided. */
  conclude(): string[] {
    const undecided: string[] = [];
    for (const [key, operations] of this.history.keys())
      if (!checkLinearizable(key, operations)) undecided.push(key);
    return undecided;
  }
}
