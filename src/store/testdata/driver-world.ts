/**
 * A driver between doors that do as they are told: a replica that notes its inputs and hands over
 * prepared outputs, a disk that answers when a test says so, a network that keeps what is sent.
 */

import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { type ArrokothError, failed, ok, type Result } from '../../base/index.ts';
import type { Entry, Message, Notice, Output, Persist, Snapshot } from '../../consensus/index.ts';
import type { AppliedState, ReplicaDoor } from '../doors.ts';
import { EmbeddedLog } from '../embedded.ts';
import type { Durable, LogStore } from '../log-store.ts';

/** An output in which nothing is to be done. */
export const NOTHING: Output = {
  persist: null,
  send: [],
  sendAfter: [],
  sendAfterToken: 0,
  install: null,
  commit: [],
  settled: [],
  reads: [],
  notices: [],
  wakeAtMs: Number.POSITIVE_INFINITY,
};

/** A batch of nothing but its token. */
export function batch(token: number): Persist {
  return { token, promise: null, entries: [], snapshot: null, incarnation: null, muted: null };
}

/** An entry with one change. */
export function entryOf(index: number, text: string): Entry {
  const changes = [new TextEncoder().encode(text)];
  return { index, ballot: 1, payload: { type: 'changes', kind: 'k', version: 1, requestId: null, changes } };
}

/** A heartbeat-like message that can be told from others by its call. */
export function messageOf(call: number): Message {
  const sender = { incarnation: 'i', storage: 's', run: 1, knows: {}, muted: false };
  return { type: 'transfer', call, ballot: 1, sender };
}

/** Notes what it is told; each `take` hands over the next prepared output. */
export class ScriptedReplica implements ReplicaDoor {
  readonly told: string[] = [];
  readonly outputs: Partial<Output>[] = [];
  readonly #ids: number[] = [];

  /** The id that the n-th question of the driver got. */
  id(position: number): number {
    return this.#ids[position] as number;
  }

  tick(nowMs: number): void {
    this.told.push(`tick ${nowMs}`);
  }

  receive(from: string, message: Message): void {
    this.told.push(`receive ${from} ${message.call}`);
  }

  propose(id: number): void {
    this.#ids.push(id);
    this.told.push('propose');
  }

  changeMember(id: number): void {
    this.#ids.push(id);
    this.told.push('changeMember');
  }

  transfer(id: number): void {
    this.#ids.push(id);
    this.told.push('transfer');
  }

  read(id: number): void {
    this.#ids.push(id);
    this.told.push('read');
  }

  persisted(token: number): void {
    this.told.push(`persisted ${token}`);
  }

  compacted(snapshot: Snapshot): void {
    this.told.push(`compacted ${snapshot.index}`);
  }

  describe(index: number): Omit<Snapshot, 'state'> {
    return { index, ballot: 1, configuration: { members: [] }, requests: [] };
  }

  take(): Output {
    this.told.push('take');
    return { ...NOTHING, ...this.outputs.shift() };
  }
}

/** A disk whose every answer is given by the test. */
export class ManualStore implements LogStore {
  bytesSinceSnapshot = 0;
  readonly batches: number[] = [];
  readonly snapshots: Snapshot[] = [];
  closed = false;
  readonly #waiting: Durable[] = [];
  #snapshotDone: Durable | null = null;

  persist(given: Persist, done: Durable): void {
    this.batches.push(given.token);
    this.#waiting.push(done);
  }

  saveSnapshot(snapshot: Snapshot, done: Durable): void {
    this.snapshots.push(snapshot);
    this.#snapshotDone = done;
  }

  close(done: () => void): void {
    this.closed = true;
    done();
  }

  /** Answers the oldest batch. */
  answer(error: Error | null = null): void {
    this.#waiting.shift()?.(error);
  }

  answerSnapshot(error: Error | null = null): void {
    this.#snapshotDone?.(error);
  }
}

/** A state that is a list of texts, and may refuse. */
export class ListState implements AppliedState {
  texts: string[] = [];
  refuses = false;

  install(snapshot: Snapshot): Result<void, Error> {
    this.texts = JSON.parse(new TextDecoder().decode(snapshot.state)) as string[];
    return ok(undefined);
  }

  apply(entry: Entry): Result<void, Error> {
    if (this.refuses) return failed(new Error('no'));
    const { payload } = entry;
    if (payload.type === 'changes')
      this.texts.push(...payload.changes.map((each) => new TextDecoder().decode(each)));
    return ok(undefined);
  }

  snapshot(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.texts));
  }
}

/** Everything around one driver. */
export interface DriverWorld {
  readonly time: FakeTime;
  readonly replica: ScriptedReplica;
  readonly store: ManualStore;
  readonly state: ListState;
  readonly log: CollectedLog;
  /** `to call` of each message that went out. */
  readonly sent: string[];
  readonly notices: Notice[];
  readonly stops: ArrokothError[];
  readonly driver: EmbeddedLog;
  /** Has the next turn hand `output` over, and takes it. */
  turn(output?: Partial<Output>): void;
}

/** A driver that has not taken a turn yet. */
export function driverWorld(snapshotLogBytes?: number): DriverWorld {
  const time = new FakeTime();
  const replica = new ScriptedReplica();
  const store = new ManualStore();
  const state = new ListState();
  const log = new CollectedLog();
  const sent: string[] = [];
  const notices: Notice[] = [];
  const stops: ArrokothError[] = [];
  const driver = new EmbeddedLog({
    ...{ replica, journal: store, state, clock: time, timers: time, logger: log },
    ...(snapshotLogBytes === undefined ? {} : { snapshotLogBytes }),
    transport: { send: (to, message) => sent.push(`${to} ${message.call}`) },
    events: {
      notice: (notice) => notices.push(notice),
      saved: () => {},
      stopped: (error) => stops.push(error),
    },
  });
  const turn = (output: Partial<Output> = {}): void => {
    replica.outputs.push(output);
    driver.start();
    time.endTurn();
  };
  return { time, replica, store, state, log, sent, notices, stops, driver, turn };
}
