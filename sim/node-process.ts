/**
 * One life of a simulated node: the product's journal, replica and driver, joined as `main/` joins
 * them, with the judge listening at each door.
 */
import { assert, failed, type Logger, ok, type Result } from '../src/base/index.ts';
import {
  type Entry,
  type Output,
  REPLICA_DEFAULTS,
  Replica,
  type ReplicaSettings,
  type Restored,
  type Snapshot,
} from '../src/consensus/index.ts';
import { type LogDisk, LogJournal } from '../src/journal/index.ts';
import { type AppliedState, EmbeddedLog, type LogStore } from '../src/store/index.ts';
import type { ProcessTime } from './clock.ts';
import type { Views } from './judge.ts';
import type { NodeWorld, Sending } from './node-world.ts';
import { REGISTER_KIND, REGISTER_VERSION, RegisterState } from './register-state.ts';
import type { Rng } from './rng.ts';
import type { SwarmOptions } from './swarm.ts';
import { Violation } from './violation.ts';

const FOLDER = '/data/log';
const KNOWS = { [REGISTER_KIND]: REGISTER_VERSION };

/** Why a process could not begin. */
export interface OpenFailure {
  readonly type: 'damage' | 'disk';
  readonly text: string;
}

/** What a process is given. */
export interface ProcessOptions {
  readonly disk: LogDisk;
  readonly time: ProcessTime;
  readonly random: Rng;
  readonly stopped: (reason: string) => void;
}

/** A replica that remembers that it was asked for what is to be done, which ends each of its turns. */
class WatchedReplica extends Replica {
  /** Its beginning is judged as a turn is. */
  hasTurned = true;

  override take(): Output {
    this.hasTurned = true;
    return super.take();
  }
}

/** A running node. */
export class NodeProcess {
  readonly storage: string;
  readonly replica: WatchedReplica;
  readonly driver: EmbeddedLog;
  readonly state = new RegisterState();
  readonly #time: ProcessTime;

  /** Writes the beginning of a cluster of this node alone; a process can be started on it then. */
  static found(node: Sending, fleet: NodeWorld, options: ProcessOptions, done: () => void): void {
    const opened = openJournal(fleet, options);
    assert(opened.ok, 'a new disk can be written to');
    const { journal, storage } = opened.value;
    const incarnation = `cluster-${fleet.rng.path}`;
    const founded = Replica.found({ name: node.name, storage, knows: KNOWS, incarnation });
    const { promise, entries } = founded;
    const batch = { token: 0, promise, entries, snapshot: null, incarnation, muted: null };
    journal.persist(batch, (error) => {
      assert(error === null, 'a new disk can be written to');
      done();
    });
  }

  /** Opens the journal and begins where it ends. */
  static open(node: Sending, fleet: NodeWorld, options: ProcessOptions): Result<NodeProcess, OpenFailure> {
    const opened = openJournal(fleet, options);
    if (opened.ok) return ok(new NodeProcess(node, fleet, { ...options, ...opened.value }));
    const { code, message } = opened.error;
    return failed({ type: code === 'LOG_DISK_FAILED' ? 'disk' : 'damage', text: message });
  }

  private constructor(node: Sending, fleet: NodeWorld, options: ProcessOptions & OpenedJournal) {
    const { journal, storage, restored, time, random } = options;
    const facts = { name: node.name, storage, knows: KNOWS };
    this.storage = storage;
    this.#time = time;
    fleet.judge.started(node.name, restored);
    this.replica = new WatchedReplica({
      ...{ ...facts, restored, startMs: time.monotonicMs() },
      ...{ settings: settingsOf(fleet.options), random: () => random.fraction() },
    });
    this.driver = new EmbeddedLog({
      ...{ replica: this.replica, clock: time, timers: time, logger: SILENCE },
      journal: this.#watchedJournal(node, fleet, journal),
      transport: { send: (to, message) => fleet.send(node, to, message) },
      state: this.#watchedState(node, fleet),
      snapshotLogBytes: fleet.options.snapshotLogBytes,
      events: {
        notice: (notice) => {
          fleet.trace.note(`notice: ${notice.type}`, node.short, 0, notice);
          if (notice.type === 'became_master') fleet.totals.elections++;
          // Here all members keep the rules, so what one says is never against what another has committed.
          if (notice.type === 'contradicted') throw new Violation('contradiction', notice.detail);
        },
        saved: () => {},
        stopped: (error) => options.stopped(error.message),
      },
    });
  }

  get isMuted(): boolean {
    return this.replica.isMuted;
  }

  /** True when the replica has taken a turn since this was asked last; only turns change it. */
  hasTurned(): boolean {
    const { hasTurned } = this.replica;
    this.replica.hasTurned = false;
    return hasTurned;
  }

  /** What the replica claims at this moment. */
  views(): Views {
    const { commitIndex, lastIndex, ballot, isMaster, configuration } = this.replica;
    const contactAgeMs = this.replica.contactAgeMs(this.#time.monotonicMs());
    return { commitIndex, lastIndex, ballot, isMaster, configuration, contactAgeMs };
  }

  /** The journal, with the judge at its door. */
  #watchedJournal(node: Sending, fleet: NodeWorld, journal: LogStore): LogStore {
    return {
      persist: (batch, done) => {
        fleet.trace.note('writes', node.short, batch.token, batch.promise);
        fleet.judge.persisting(node.name, batch, this.replica.commitIndex);
        journal.persist(batch, done);
      },
      saveSnapshot: (snapshot, done) => {
        fleet.trace.note('saves a snapshot', node.short, snapshot.index);
        journal.saveSnapshot(snapshot, (error) => {
          if (error === null) fleet.totals.snapshotsSaved++;
          done(error);
        });
      },
      get bytesSinceSnapshot() {
        return journal.bytesSinceSnapshot;
      },
      close: (done) => journal.close(done),
    };
  }

  /** The registers, with the judge at their door. */
  #watchedState(node: Sending, fleet: NodeWorld): AppliedState {
    const { state } = this;
    let isFirst = true;
    return {
      install: (snapshot: Snapshot) => {
        state.install(snapshot.index, snapshot.state);
        fleet.trace.note('installs', node.short, snapshot.index);
        if (!isFirst) fleet.totals.snapshotsInstalled++;
        isFirst = false;
        fleet.judge.installed(node.name, snapshot, state.hash);
        return ok(undefined);
      },
      apply: (entry: Entry) => {
        isFirst = false;
        if (entry.payload.type === 'changes') state.put(entry.index, entry.payload.changes);
        fleet.judge.applied(node.name, entry, state.hash);
        return ok(undefined);
      },
      snapshot: () => state.snapshot(),
    };
  }
}

interface OpenedJournal {
  readonly journal: LogJournal;
  readonly restored: Restored;
  readonly storage: string;
}

function openJournal(fleet: NodeWorld, { disk, random }: ProcessOptions) {
  const { segmentBytes, entriesKept } = fleet.options;
  return LogJournal.open({
    disk,
    folder: FOLDER,
    random,
    limits: { segmentBytes, entriesKept },
    logger: SILENCE,
  });
}

/** Times of a small local network, bounds small enough to be met within a minute. */
function settingsOf(options: SwarmOptions): ReplicaSettings {
  return {
    ...REPLICA_DEFAULTS,
    ...options.elections,
    votersMax: options.votersMax,
    voterDownMs: options.voterDownMs,
    appendBytesMax: options.appendBytes,
    pieceBytesMax: options.snapshotPieceBytes,
    keptBytesMax: options.keptBytes,
  };
}

const SILENCE: Logger = {
  ...{ debug: ignore, info: ignore, warn: ignore, error: ignore, debugEnabled: false },
  child: () => SILENCE,
};

function ignore(): void {
  // Log lines are for operators; the trace has what happened.
}
