/**
 * The judge of a simulated cluster: the log's promises, and those of the state that is agreed on with it.
 *
 * It keeps each node's copy of the cluster's state, because it stands where entries are applied: the
 * copies see what the nodes see, in the order and with the losses of the nodes.
 */
import { decodeUtf8, encodeUtf8 } from '../../src/base/index.ts';
import { type ClusterChange, ClusterState, clusterCodec } from '../../src/cluster/index.ts';
import type { Entry, Index, Message, Snapshot } from '../../src/consensus/index.ts';
import { FencedPublishes } from '../checkers/fenced-publishes.ts';
import { OneOwner } from '../checkers/one-owner.ts';
import { type Beginning, Judge, type Views } from '../judge.ts';
import { Violation } from '../violation.ts';

/** Told what a node's supervisor would notice. */
export interface NodeEvents {
  /** A process begins, with a copy that is empty. */
  started(who: string): void;
  turned(who: string, views: Views): void;
  received(who: string, from: string): void;
}

/** The registers of the simulated log take a key, a value, and whatever follows; changes are what follows. */
const PREFIX = encodeUtf8('cluster . ');

/** A change as the workload proposes it. */
export function encodeChange(change: ClusterChange): Uint8Array {
  const bytes = clusterCodec.encode(change);
  const prefixed = new Uint8Array(PREFIX.length + bytes.length);
  prefixed.set(PREFIX);
  prefixed.set(bytes, PREFIX.length);
  return prefixed;
}

/** Watches one cluster. */
export class ClusterJudge extends Judge {
  readonly owners = new OneOwner();
  readonly publishes = new FencedPublishes();
  /** Set before anything happens. */
  events: NodeEvents | null = null;
  readonly #copies = new Map<string, ClusterState>();
  /** The state after each entry, as whoever applied it first had it. */
  readonly #texts: (string | undefined)[] = [];

  /** The copy of a node as it is now. */
  copyOf(who: string): ClusterState {
    return this.#copies.get(who) ?? new ClusterState();
  }

  override started(who: string, beginning: Beginning): void {
    super.started(who, beginning);
    this.#copies.set(who, new ClusterState());
    this.events?.started(who);
  }

  override applied(who: string, entry: Entry, hash: number): void {
    super.applied(who, entry, hash);
    const copy = this.copyOf(who);
    const isFirst = this.#texts[entry.index] === undefined;
    if (entry.payload.type === 'changes') {
      for (const bytes of entry.payload.changes) {
        const change = clusterCodec.decode(bytes.subarray(PREFIX.length), clusterCodec.version);
        const events = copy.apply(change, entry.index);
        if (isFirst) for (const event of events) this.owners.happened(event);
      }
    }
    this.#compare(who, entry.index, copy);
  }

  override installed(who: string, snapshot: Snapshot, hash: number): void {
    super.installed(who, snapshot, hash);
    const text = this.#texts[snapshot.index];
    if (text !== undefined) this.#copies.set(who, ClusterState.restore(encodeUtf8(text)));
  }

  override received(...[by, from, message, heard]: Parameters<Judge['received']>): void {
    super.received(by, from, message, heard);
    if (isAnswer(message)) this.events?.received(by.name, from);
  }

  override turned(who: string, nowMs: number, views: Views): void {
    super.turned(who, nowMs, views);
    this.events?.turned(who, views);
  }

  #compare(who: string, index: Index, copy: ClusterState): void {
    const text = decodeUtf8(copy.snapshot());
    const known = this.#texts[index];
    if (known === undefined) this.#texts[index] = text;
    else if (known !== text) throw new Violation('same-cluster', `at ${index} the copy of ${who} is another`);
  }
}

/** What tells a master that a member lives. */
function isAnswer(message: Message): boolean {
  return message.type === 'append_answer' || message.type === 'snapshot_answer';
}
