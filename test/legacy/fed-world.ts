/**
 * Members of the original beside a cluster of ours, as far as those members can tell: masters that come
 * and go, each with the committed entries that it has applied, and a network that loses, delays and repeats.
 *
 * The cluster itself is simply right here, because what is tested is how its members are fed. One seed
 * decides everything.
 */
import type { Configuration, Entry, MemberName } from '../../src/consensus/index.ts';
import type { ForeignCall, ForeignOutcome } from '../../src/peer/index.ts';
import { ForeignFeeds } from '../../src/store/index.ts';
import { CollectedLog } from '../fakes/collected-log.ts';
import { FakeRandom } from '../fakes/fake-random.ts';
import { FakeTime } from '../fakes/fake-time.ts';
import { KeyValues } from './key-values.ts';
import { LegacyParticipant } from './legacy-participant.ts';
import { LegacyPanic } from './legacy-receiver.ts';

/** How bad the network is, each in [0, 1). */
export interface Weather {
  readonly callsLost: number;
  readonly answersLost: number;
  readonly repeated: number;
  readonly delayMaxMs: number;
}

export const FAIR: Weather = { callsLost: 0, answersLost: 0, repeated: 0, delayMaxMs: 20 };
const DEADLINE_MS = 3_000;

/** One of our nodes: what it has applied of what is committed. */
class Master {
  readonly values: KeyValues = new KeyValues();
  readonly feeds: ForeignFeeds;
  applied = 0;

  constructor(name: MemberName, world: FedWorld) {
    this.feeds = new ForeignFeeds(
      { cluster: 'cluster', self: name },
      {
        transport: { callForeign: (to, call, done) => world.carry(to, call, done) },
        timers: world.time,
        startFailed: () => {},
        random: () => world.random.fraction(),
        logger: world.log,
        snapshot: () => ({ index: this.applied, state: this.values.snapshot() }),
      },
    );
  }

  apply(entry: Entry): void {
    this.applied = entry.index;
    if (entry.payload.type === 'changes') {
      for (const change of entry.payload.changes) this.values.apply(change);
    }
    this.feeds.applied(entry);
  }
}

export class FedWorld {
  readonly time: FakeTime = new FakeTime();
  readonly random: FakeRandom;
  readonly log: CollectedLog = new CollectedLog();
  readonly calls: ForeignCall[] = [];
  readonly committed: Entry[] = [];
  /** What the state is after each committed entry; the first is that of the empty log. */
  readonly history: string[] = ['{}'];
  /** Sentences on what must not be, in the order in which it was seen. */
  readonly faults: string[] = [];
  weather: Weather = FAIR;
  ballot = 0;
  master: Master | null = null;
  #truth: KeyValues = new KeyValues();
  #masters: Map<MemberName, Master> = new Map();
  #followers: Map<MemberName, { participant: LegacyParticipant; values: KeyValues; seen: number }> =
    new Map();
  #others: MemberName[] = [];

  constructor(seed: number, masters: readonly MemberName[], followers: readonly MemberName[]) {
    this.random = new FakeRandom(seed);
    for (const name of masters) this.#masters.set(name, new Master(name, this));
    for (const name of followers) this.restart(name);
  }

  get configuration(): Configuration {
    const safe = [...this.#masters.keys(), ...this.#others].map((name) => ({
      name,
      storage: name,
      role: 'voter' as const,
      knows: {},
    }));
    const foreign = [...this.#followers.keys()].map((name) => ({
      name,
      storage: null,
      role: 'foreign' as const,
      knows: {},
    }));
    return { members: [...safe, ...foreign] };
  }

  follower(name: MemberName): LegacyParticipant {
    return this.#of(name).participant;
  }

  state(name: MemberName): string {
    return text(this.#of(name).values);
  }

  get truth(): string {
    return text(this.#truth);
  }

  /**
   * A fresh process of the original under its address. Masters of the past have ended by then: between
   * one of them and the present one, a process without memory could be led into an instance whose
   * master it was never told.
   */
  restart(name: MemberName): void {
    for (const master of this.#masters.values()) if (master !== this.master) master.feeds.end();
    const values = new KeyValues();
    const participant = new LegacyParticipant('cluster', values, {
      // What it says to others of its kind arrives; our nodes refuse its elections and take its submits.
      call: (to, call, done) => this.#callOfOriginal(to, call, done),
      after: (delayMs, run) => this.time.after(delayMs, run),
    });
    this.#followers.set(name, { participant, values, seen: 0 });
  }

  /** Another node, or the same one again, wins the next ballot; the one before may not know yet. */
  failOver(to: MemberName, oldIsGone = true): void {
    if (oldIsGone) this.master?.feeds.end();
    const next = this.#masters.get(to) as Master;
    next.feeds.end();
    this.ballot++;
    next.feeds.begin(this.ballot, this.configuration);
    this.master = next;
    this.#append({ type: 'noop' });
  }

  commit(...changes: Uint8Array[]): void {
    this.#append({ type: 'changes', kind: 'kv', version: 1, requestId: null, changes });
  }

  /** One more node of ours joins. */
  join(name: MemberName): void {
    this.#others.push(name);
    this.master?.feeds.configure(this.configuration);
    this.#append({ type: 'members', configuration: this.configuration });
  }

  carry(to: MemberName, call: ForeignCall, done: (outcome: ForeignOutcome) => void): void {
    this.calls.push(call);
    let isDone = false;
    const settle = (outcome: ForeignOutcome): void => {
      if (isDone) return;
      isDone = true;
      done(outcome);
    };
    this.time.after(DEADLINE_MS, () => settle({ type: 'failed', detail: 'deadline' }));
    const copies = this.random.fraction() < this.weather.repeated ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.random.fraction() < this.weather.callsLost) continue;
      this.time.after(this.random.below(this.weather.delayMaxMs), () => this.#arrive(to, call, settle));
    }
  }

  #arrive(to: MemberName, call: ForeignCall, settle: (outcome: ForeignOutcome) => void): void {
    const { participant } = this.#of(to);
    participant.handle(call, (answer) => {
      this.#look(to);
      if (this.random.fraction() < this.weather.answersLost) return;
      const delayMs = this.random.below(this.weather.delayMaxMs);
      this.time.after(delayMs, () => settle({ type: 'answered', answer }));
    });
  }

  /** A member is always where the cluster once was, and never goes back within one life. */
  #look(name: MemberName): void {
    const follower = this.#of(name);
    const now = text(follower.values);
    const at = this.history.lastIndexOf(now);
    if (at < 0) this.faults.push(`${name} is where the cluster never was: ${now}`);
    else if (at < follower.seen) this.faults.push(`${name} went back from ${follower.seen} to ${at}`);
    else follower.seen = Math.max(follower.seen, this.history.indexOf(now));
  }

  #callOfOriginal(to: MemberName, call: ForeignCall, done: (outcome: ForeignOutcome) => void): void {
    this.time.after(1, () => {
      const follower = this.#followers.get(to);
      if (follower !== undefined) {
        follower.participant.handle(call, (answer) => done({ type: 'answered', answer }));
      } else if (call.method === 'submit') {
        this.commit(...call.changes);
        done({ type: 'answered', answer: { status: 200, accepted: true, error: null } });
      } else {
        done({ type: 'answered', answer: { status: 409, accepted: false, error: null } });
      }
    });
  }

  #append(payload: Entry['payload']): void {
    const entry: Entry = { index: this.committed.length + 1, ballot: this.ballot, payload };
    this.committed.push(entry);
    if (payload.type === 'changes') for (const change of payload.changes) this.#truth.apply(change);
    this.history.push(this.truth);
    for (const master of this.#masters.values()) {
      // The master applies at once; the others fall behind, and catch up when they are elected.
      if (master !== this.master && this.random.fraction() < 0.5) continue;
      for (let at = master.applied; at < entry.index; at++) master.apply(this.committed[at] as Entry);
    }
  }

  /** Submits at an original; a panic of its process is a fault here, since ours must see to it. */
  submitAt(name: MemberName, change: Uint8Array): void {
    try {
      this.follower(name).submit([change], () => {});
    } catch (error) {
      if (!(error instanceof LegacyPanic)) throw error;
      this.faults.push(`${name} died of a submit: ${error.message}`);
    }
  }

  /** An original campaigns. One that has joined nothing would crown itself, alone in its world. */
  electAt(name: MemberName): void {
    const participant = this.follower(name);
    if (participant.members.length > 0) participant.startElection(() => {});
  }

  #of(name: MemberName): { participant: LegacyParticipant; values: KeyValues; seen: number } {
    const follower = this.#followers.get(name);
    if (follower === undefined) throw new Error(`there is no ${name}`);
    return follower;
  }
}

function text(values: KeyValues): string {
  return JSON.stringify(Object.fromEntries(Object.entries(values.toObject()).sort()));
}
