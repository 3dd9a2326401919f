/**
 * A few replicas over a fake disk and a fake network, for the tests of this room.
 *
 * Virtual time in milliseconds; a message takes one, a sync takes one, unless a test says otherwise.
 * Everything in one queue, so that a run repeats exactly. Hunting for rare orders of events is the
 * simulator's work; here somebody writes down which order is meant.
 */
import { assert } from '../../base/index.ts';
import {
  type Entry,
  type MemberName,
  type Message,
  type Notice,
  type Output,
  type Persist,
  REPLICA_DEFAULTS,
  type Reading,
  Replica,
  type ReplicaSettings,
  type Restored,
  type Settlement,
  type Snapshot,
} from '../index.ts';

/** Small numbers, so that bounds are met in tests that a person can read. */
export const TEST_SETTINGS: ReplicaSettings = {
  ...REPLICA_DEFAULTS,
  voterDownMs: 10_000,
  farewellMs: 10_000,
  keptBytesMax: 0,
  pieceBytesMax: 64,
};

const NOTHING: Restored = {
  promise: { ballot: 0, votedFor: null },
  snapshot: null,
  entries: [],
  incarnation: null,
  muted: false,
};

/** What a disk holds, and what it was given and has not synced yet. */
export class FakeDisk {
  synced: Restored = NOTHING;
  pending: Persist[] = [];
  /** Syncs take for ever while this is set. */
  isStuck = false;

  /** Everything up to `token` is on the disk from now on. */
  sync(token: number): void {
    while (this.pending[0] !== undefined && this.pending[0].token <= token) {
      this.synced = written(this.synced, this.pending.shift() as Persist);
    }
  }

  /** A snapshot of the state replaces the entries that it covers. */
  compact(snapshot: Snapshot): void {
    const entries = this.synced.entries.filter(({ index }) => index > snapshot.index);
    this.synced = { ...this.synced, snapshot, entries };
  }

  /** Loses the last `count` entries and every promise after them, and knows it. */
  tear(count: number): void {
    const entries = this.synced.entries.slice(0, Math.max(0, this.synced.entries.length - count));
    const ballot = entries.at(-1)?.ballot ?? this.synced.snapshot?.ballot ?? 0;
    this.synced = { ...this.synced, muted: true, entries, promise: { ballot, votedFor: null } };
  }
}

function written(before: Restored, persist: Persist): Restored {
  const [first] = persist.entries;
  const snapshot = persist.snapshot ?? before.snapshot;
  const kept = persist.snapshot === null ? before.entries : [];
  const rest = first === undefined ? kept : kept.filter(({ index }) => index < first.index);
  return {
    promise: persist.promise ?? before.promise,
    snapshot,
    entries: [...rest, ...persist.entries],
    incarnation: persist.incarnation ?? before.incarnation,
    muted: persist.muted ?? before.muted,
  };
}

/** One node: a replica in its present life, and what outlives it. */
export class FakeNode {
  readonly name: MemberName;
  readonly disk = new FakeDisk();
  storage: string;
  knows: Record<string, number> = { put: 1 };
  lives = 0;
  /** Null: not running. */
  replica: Replica | null = null;
  isPaused = false;
  /** Entries as the state saw them: its text is the state. */
  applied: string[] = [];
  settled: Settlement[] = [];
  reads: Reading[] = [];
  notices: Notice[] = [];
  /** Messages that wait for a token. */
  held: { readonly token: number; readonly to: MemberName; readonly message: Message }[] = [];

  constructor(name: MemberName) {
    this.name = name;
    this.storage = `${name}1`;
  }

  /** The running replica. */
  get running(): Replica {
    assert(this.replica !== null, `${this.name} runs`);
    return this.replica;
  }
}

interface Due {
  readonly atMs: number;
  readonly run: () => void;
}

/** What watches a run. */
export interface ClusterEvents {
  message?(from: MemberName, to: MemberName, message: Message): void;
}

/** Nodes, links and time. */
export class Cluster {
  readonly settings: ReplicaSettings;
  readonly nodes = new Map<MemberName, FakeNode>();
  nowMs = 0;
  /** How long each copy of a message takes; none: it is lost. */
  delays: () => readonly number[] = () => [1];
  /** How long a sync takes. */
  syncMs: () => number = () => 1;
  events: ClusterEvents = {};
  readonly #cut = new Set<string>();
  #queue: Due[] = [];
  #ids = 0;
  #seed: number;

  constructor(settings: Partial<ReplicaSettings> = {}, seed = 1) {
    this.settings = { ...TEST_SETTINGS, ...settings };
    this.#seed = seed;
  }

  node(name: MemberName): FakeNode {
    let node = this.nodes.get(name);
    if (node === undefined) {
      node = new FakeNode(name);
      this.nodes.set(name, node);
    }
    return node;
  }

  /** Makes `name` the only member of a new cluster, and starts it. */
  found(name: MemberName): FakeNode {
    const node = this.node(name);
    const { storage, knows } = node;
    node.disk.synced = Replica.found({ name, storage, knows, incarnation: 'cluster' });
    return this.start(name);
  }

  /** Starts `name` from its disk. */
  start(name: MemberName): FakeNode {
    const node = this.node(name);
    node.lives++;
    node.isPaused = false;
    const { storage, knows, disk } = node;
    const draw = randomOf(this.#seed * 1_000_003 + name.charCodeAt(0) * 1_009 + node.lives);
    node.replica = new Replica({
      name,
      storage,
      knows,
      settings: this.settings,
      random: draw,
      restored: disk.synced,
      startMs: this.nowMs,
    });
    node.applied = [];
    this.turn(node);
    return node;
  }

  /** Stops `name` at once: what was not synced is lost. */
  crash(name: MemberName): void {
    const node = this.node(name);
    node.replica = null;
    node.disk.pending = [];
    node.held = [];
  }

  /** `name` gets an empty disk, and with it another identity. */
  empty(name: MemberName): void {
    const node = this.node(name);
    node.disk.synced = NOTHING;
    node.storage = `${name}${Number(node.storage.slice(name.length)) + 1}`;
  }

  /** No messages from `from` to `to`. */
  cut(from: MemberName, to: MemberName): void {
    this.#cut.add(`${from} ${to}`);
  }

  /** Nothing goes to or comes from `name`. */
  isolate(name: MemberName): void {
    for (const other of this.nodes.keys()) {
      this.cut(name, other);
      this.cut(other, name);
    }
  }

  /** All links work again. */
  heal(): void {
    this.#cut.clear();
  }

  /** Gives an input to the replica of `name` and does what it then wants; answers the number it used. */
  ask(name: MemberName, input: (replica: Replica, id: number) => void): number {
    const node = this.node(name);
    const id = ++this.#ids;
    node.running.tick(this.nowMs);
    input(node.running, id);
    this.act(node, node.running.take());
    return id;
  }

  /** Submits `text` at `name`. */
  propose(
    name: MemberName,
    text: string,
    requestId: string | null = null,
    kind = 'put',
    version = 1,
  ): number {
    const changes = [Uint8Array.from(text, (character) => character.charCodeAt(0))];
    return this.ask(name, (replica, id) =>
      replica.propose(id, { type: 'changes', kind, version, requestId, changes }),
    );
  }

  /** What became of what was asked for under `id`. */
  outcomeOf(id: number): Settlement | undefined {
    for (const { settled } of this.nodes.values()) {
      for (const settlement of settled) if (settlement.id === id) return settlement;
    }
    return undefined;
  }

  /** Takes a snapshot of the state of `name`, as its driver would. */
  snapshot(name: MemberName): void {
    const node = this.node(name);
    const state = Uint8Array.from(node.applied.join('\n'), (character) => character.charCodeAt(0));
    const snapshot = { ...node.running.describe(node.running.appliedIndex), state };
    node.disk.compact(snapshot);
    this.ask(name, (replica) => replica.compacted(snapshot));
  }

  /** Lets `forMs` pass. */
  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    for (let due = this.#next(endMs); due !== undefined; due = this.#next(endMs)) {
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.run();
    }
    this.nowMs = endMs;
  }

  /** Lets time pass until `condition` holds; fails after `limitMs`. */
  until(condition: () => boolean, limitMs = 30_000): void {
    for (const endMs = this.nowMs + limitMs; !condition() && this.nowMs < endMs; ) this.run(1);
    assert(condition(), `${condition} came true within ${limitMs} ms`);
  }

  /** The one running master of the highest ballot, or null. */
  get master(): FakeNode | null {
    const masters = [...this.nodes.values()].filter(({ replica }) => replica?.isMaster === true);
    return masters.sort((left, right) => right.running.ballot - left.running.ballot)[0] ?? null;
  }

  /** One turn of `node` without any input but time. */
  turn(node: FakeNode): void {
    if (node.replica === null || node.isPaused) return;
    node.replica.tick(this.nowMs);
    this.act(node, node.replica.take());
  }

  /** Does what an output demands, in its order. */
  act(node: FakeNode, output: Output): void {
    const life = node.lives;
    if (output.persist !== null) this.#save(node, output.persist);
    for (const { to, message } of output.send) this.deliver(node.name, to, message);
    for (const { to, message } of output.sendAfter)
      node.held.push({ token: output.sendAfterToken, to, message });
    if (node.disk.pending.length === 0) this.#release(node, output.sendAfterToken);
    if (output.install !== null) node.applied = stateOf(output.install);
    for (const entry of output.commit) {
      const text = textOf(entry);
      if (text !== null) node.applied.push(text);
    }
    node.settled.push(...output.settled);
    node.reads.push(...output.reads);
    node.notices.push(...output.notices);
    if (Number.isFinite(output.wakeAtMs)) {
      this.#at(Math.max(output.wakeAtMs, this.nowMs), () => node.lives === life && this.turn(node));
    }
  }

  /** Puts `message` on its way. */
  deliver(from: MemberName, to: MemberName, message: Message): void {
    if (this.#cut.has(`${from} ${to}`)) return;
    for (const delayMs of this.delays()) {
      this.#at(this.nowMs + delayMs, () => this.#arrive(from, to, message));
    }
  }

  /** Lets a disk that was stuck go on. */
  sync(node: FakeNode): void {
    const token = node.disk.pending.at(-1)?.token;
    if (token !== undefined && node.replica !== null) this.#synced(node, token);
  }

  #arrive(from: MemberName, to: MemberName, message: Message): void {
    const node = this.nodes.get(to);
    if (node === undefined || node.replica === null || node.isPaused) return;
    this.events.message?.(from, to, message);
    node.replica.tick(this.nowMs);
    node.replica.receive(from, message);
    this.act(node, node.replica.take());
  }

  #save(node: FakeNode, persist: Persist): void {
    node.disk.pending.push(persist);
    if (node.disk.isStuck) return;
    const life = node.lives;
    this.#at(this.nowMs + this.syncMs(), () => {
      if (node.lives === life && node.replica !== null) this.#synced(node, persist.token);
    });
  }

  #synced(node: FakeNode, token: number): void {
    node.disk.sync(token);
    const { running } = node;
    if (!node.isPaused) running.tick(this.nowMs);
    running.persisted(token);
    this.#release(node, token);
    if (!node.isPaused) this.act(node, running.take());
  }

  #release(node: FakeNode, token: number): void {
    const free = node.held.filter((held) => held.token <= token);
    node.held = node.held.filter((held) => held.token > token);
    for (const { to, message } of free) this.deliver(node.name, to, message);
  }

  #at(atMs: number, run: () => void): void {
    let place = this.#queue.length;
    while (place > 0 && (this.#queue[place - 1] as Due).atMs > atMs) place--;
    this.#queue.splice(place, 0, { atMs, run });
  }

  #next(endMs: number): Due | undefined {
    return (this.#queue[0]?.atMs ?? Number.POSITIVE_INFINITY) <= endMs ? this.#queue.shift() : undefined;
  }
}

/** The text that an entry adds to the state; null when it adds nothing. */
export function textOf({ payload }: Entry): string | null {
  if (payload.type !== 'changes') return null;
  return payload.changes.map((change) => String.fromCharCode(...change)).join(',');
}

function stateOf({ state }: Snapshot): string[] {
  return state.length === 0 ? [] : String.fromCharCode(...state).split('\n');
}

/** Small and good enough: it only spreads timeouts (Park and Miller's generator). */
function randomOf(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  for (let warm = 0; warm < 4; warm++) state = (state * 48_271) % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
