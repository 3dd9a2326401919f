/**
 * One node of the simulated cluster: hardware that lasts (disk, clock, name) and the process on it.
 *
 * It is killed, loses power, is paused, comes back, or is found with an empty or damaged directory.
 * What runs in it is the product: `node-process.ts` joins replica, journal and driver.
 */
import type {
  Ballot,
  Configuration,
  Index,
  MemberChange,
  MemberName,
  Message,
} from '../src/consensus/index.ts';
import type { Outcome, Submission } from '../src/store/index.ts';
import { DriftingClock, ProcessTime, type RunTurn } from './clock.ts';
import { type PowerLoss, SimulatedDisk } from './disk.ts';
import { NodeProcess, type OpenFailure, type ProcessOptions } from './node-process.ts';
import type { NodeWorld, Sending } from './node-world.ts';
import type { Rng } from './rng.ts';
import { Violation } from './violation.ts';

/** How long a supervisor waits before it starts a node again that could not start. */
const RESTART_MS = 1_000;
/** Between a client and its node. */
const CLIENT_DELAY_MEAN_MS = 0.5;

const NOBODY: Configuration = { members: [] };

/** Hardware with a name, and whatever runs on it. */
export class SimulatedNode implements Sending {
  readonly name: MemberName;
  /** For traces. */
  readonly short: string;
  readonly number: number;
  readonly disk: SimulatedDisk;
  readonly clock: DriftingClock;
  readonly #fleet: NodeWorld;
  readonly #rng: Rng;
  #process: NodeProcess | null = null;
  /** Counts processes: what an earlier one left behind in the world's heap is dropped. */
  #life = 0;
  /** Runs turns of the present process. */
  #run: RunTurn = () => {};
  #pausedUntilMs = 0;
  #storage: string | null = null;
  #damaged = false;
  #muted = false;
  #mayBeTorn = false;
  #joined = false;

  constructor(fleet: NodeWorld, number: number) {
    this.#fleet = fleet;
    this.number = number;
    this.short = `n${number + 1}`;
    this.name = `http://n${number + 1}`;
    this.#rng = fleet.rng.fork(this.short);
    const rate = 1 + fleet.options.driftMax * (2 * this.#rng.fraction() - 1);
    this.clock = new DriftingClock(fleet.world, { rate, startMs: this.#rng.between(0, 1_000_000) });
    this.disk = new SimulatedDisk(fleet.rng.fork('disk').fork(this.short), fleet.options.disk);
  }

  get isUp(): boolean {
    return this.#process !== null;
  }

  /** The directory that speaks for the name at present; null: none yet. */
  get storage(): string | null {
    return this.#storage;
  }

  /** What was promised was destroyed here, and the cluster has not made up for it yet. */
  get isDamaged(): boolean {
    return this.#damaged;
  }

  /** It does not count at present, or it may turn out at its next start that it does not. */
  get isMuted(): boolean {
    return this.#muted || this.#mayBeTorn;
  }

  /** It was a member at some time since its directory was empty. */
  get hasJoined(): boolean {
    return this.#joined;
  }

  get isMaster(): boolean {
    return this.#process?.replica.isMaster ?? false;
  }

  get ballot(): Ballot {
    return this.#process?.replica.ballot ?? 0;
  }

  get role(): string {
    return this.#process?.replica.role ?? 'down';
  }

  get appliedIndex(): Index {
    return this.#process?.driver.appliedIndex ?? 0;
  }

  get configuration(): Configuration {
    return this.#process?.replica.configuration ?? NOBODY;
  }

  /** One line for whoever has to understand why nothing goes on. */
  describe(): string {
    if (this.#process === null) return `${this.short} down`;
    const { replica } = this.#process;
    const flags = `${replica.isMaster ? ' master' : ''}${this.#muted ? ' muted' : ''}`;
    const members = replica.configuration.members.map(({ name, role }) => `${name.slice(7)}${role[0]}`);
    const ends = `log ${replica.lastIndex}, committed ${replica.commitIndex}, applied ${this.appliedIndex}`;
    const standing = `${this.short} ${replica.role}${flags} ballot ${replica.ballot}`;
    return `${standing} ${ends} [${members.join(' ')}]`;
  }

  /** Makes a cluster of this node alone. */
  found(): void {
    const life = ++this.#life;
    NodeProcess.found(this, this.#fleet, this.#optionsOf(life, this.#turns(life)), () => this.start());
  }

  /** Starts a process on what the disk holds. */
  start(): void {
    const life = ++this.#life;
    this.#run = this.#turns(life);
    const opened = NodeProcess.open(this, this.#fleet, this.#optionsOf(life, this.#run));
    if (!opened.ok) return this.#couldNotOpen(life, opened.error);
    this.#process = opened.value;
    this.#storage = opened.value.storage;
    const { isMuted } = opened.value;
    if (isMuted && !this.#muted) this.#fleet.totals.mutedStarts++;
    this.#muted = isMuted;
    this.#mayBeTorn = false;
    if (!isMuted) this.#damaged = false;
    this.#fleet.trace.note('starts', this.short, life, isMuted ? 'muted' : null);
    this.#run(() => opened.value.driver.start());
  }

  /** The process dies; the kernel keeps what was written. */
  kill(): void {
    this.#fleet.trace.note('killed', this.short, this.#life);
    this.#life++;
    this.#process = null;
    this.#pausedUntilMs = 0;
  }

  /** The machine dies. */
  losePower(loss: PowerLoss): void {
    this.#fleet.trace.note('loses power', this.short, this.#life, loss);
    this.#life++;
    this.#process = null;
    this.#pausedUntilMs = 0;
    this.#mayBeTorn = true;
    this.disk.losePower(loss);
  }

  /** The process does nothing for a while; what arrives waits. */
  pause(forMs: number): void {
    this.#fleet.trace.note('paused', this.short, forMs);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#fleet.world.nowMs + forMs);
  }

  resume(): void {
    this.#pausedUntilMs = 0;
  }

  /** The directory is emptied while the node is down. */
  empty(): void {
    this.disk.empty();
    this.#storage = null;
    this.#joined = false;
    this.#damaged = false;
    this.#muted = false;
    this.#mayBeTorn = false;
    this.#fleet.judge.emptied(this.name);
  }

  /** The medium changes one bit; false: nothing is there. */
  flipBit(): boolean {
    const isFlipped = this.disk.flipBit();
    this.#damaged ||= isFlipped;
    return isFlipped;
  }

  /** The medium loses the end of what it had promised to keep; false: there is nothing to tear. */
  loseTail(): boolean {
    const isTorn = this.disk.loseTail();
    this.#damaged ||= isTorn;
    return isTorn;
  }

  receive(from: MemberName, message: Message, carriedMs: number): void {
    const process = this.#process;
    if (process === null) return;
    if (this.#pausedUntilMs > this.#fleet.world.nowMs) {
      this.#run(() => this.#hear(process, from, message, carriedMs));
    } else this.#hear(process, from, message, carriedMs);
  }

  /** The driver only keeps what arrives, for its next turn: there is nothing to judge before that. */
  #hear(process: NodeProcess, from: MemberName, message: Message, carriedMs: number): void {
    const { judge, world } = this.#fleet;
    judge.received(this, from, message, { nowMs: world.nowMs, carriedMs });
    process.driver.receive(from, message);
  }

  submit(submission: Submission, done: (outcome: Outcome) => void): void {
    this.#ask((process, answer) =>
      process.driver.propose(submission, (outcome) => answer(() => done(outcome))),
    );
  }

  /** The value of a register, confirmed by a majority; undefined: refused. */
  read(key: string, done: (value: string | null | undefined) => void): void {
    this.#ask((process, answer) =>
      process.driver.read((outcome) => {
        const value = outcome.type === 'ready' ? process.state.get(key) : undefined;
        answer(() => done(value));
      }),
    );
  }

  changeMember(change: MemberChange, done: (outcome: Outcome) => void): void {
    this.#ask((process, answer) =>
      process.driver.changeMember(change, (outcome) => answer(() => done(outcome))),
    );
  }

  transfer(to: MemberName | null, done: (outcome: Outcome) => void): void {
    this.#ask((process, answer) => process.driver.transfer(to, (outcome) => answer(() => done(outcome))));
  }

  /** A client's question and its answer take their time; a node that dies never answers. */
  #ask(question: (process: NodeProcess, answer: (run: () => void) => void) => void): void {
    const delayMs = (): number => this.#rng.exponential(CLIENT_DELAY_MEAN_MS);
    this.#fleet.world.after(delayMs(), () => {
      const process = this.#process;
      if (process === null) return;
      this.#run(() => question(process, (run) => this.#fleet.world.after(delayMs(), run)));
    });
  }

  #optionsOf(life: number, run: RunTurn): ProcessOptions {
    const { world } = this.#fleet;
    return {
      disk: this.disk.mount((delayMs, then) => world.after(delayMs, run, then)),
      time: new ProcessTime(world, this.clock, run),
      random: this.#rng,
      stopped: (reason) => this.#stopped(life, reason),
    };
  }

  /** A full disk is waited out; damage that was dealt empties the directory; other damage is a bug. */
  #couldNotOpen(life: number, failure: OpenFailure): void {
    this.#fleet.trace.note('cannot start', this.short, life, failure.text);
    if (failure.type === 'damage') {
      if (!this.#damaged) throw new Violation('intact-journal', `${this.short} refuses: ${failure.text}`);
      this.#fleet.totals.refusedJournals++;
      this.empty();
    }
    this.#fleet.world.after(RESTART_MS, () => {
      if (this.#life === life && this.#process === null) this.start();
    });
  }

  #stopped(life: number, reason: string): void {
    if (life === this.#life) throw new Violation('stopped', `${this.short} stops itself: ${reason}`);
  }

  /** Runs turns of one process: later while the node is paused, never when the process is gone. */
  #turns(life: number): RunTurn {
    const run = (turn: () => void): void => {
      if (life !== this.#life) return;
      const waitMs = this.#pausedUntilMs - this.#fleet.world.nowMs;
      if (waitMs > 0) return this.#fleet.world.after(waitMs, run, turn);
      turn();
      this.#afterTurn(life);
    };
    return run;
  }

  #afterTurn(life: number): void {
    const process = this.#process;
    if (process === null || life !== this.#life || !process.hasTurned()) return;
    const { replica } = process;
    this.#fleet.judge.turned(this.name, this.#fleet.world.nowMs, process.views());
    if (!this.#joined && replica.role !== 'unjoined') this.#joined = true;
    if (!this.#muted || process.isMuted) return;
    this.#muted = false;
    this.#damaged = false;
    this.#fleet.totals.readmissions++;
  }
}
