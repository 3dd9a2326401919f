/**
 * What every worker owes its supervisor, whatever its role: to do as told, to say how it went, and
 * to be gone soon after the supervisor is.
 *
 * Knows no role and no process; `worker.ts` gives it both. Everything that ends the process goes
 * through `exit`, once.
 */
import type { Timers } from '../base/index.ts';
import type { Settings } from '../config/index.ts';
import type {
  Bulletin,
  FromWorker,
  Grant,
  ListenerName,
  ListenHandle,
  OperationOutcome,
  ReloadCounts,
  StatsCounters,
  ToWorker,
  WorkerChannel,
  WorkerInit,
  WorkerPlace,
} from '../process/index.ts';

/** A worker's role, as the supervisor's messages drive it. */
export interface WorkerRole {
  listen(listener: ListenerName, handle: ListenHandle): void;
  unlisten(listener: ListenerName): void;
  peers(peers: readonly WorkerPlace[], ended: StatsCounters): void;
  grant(grant: Grant): void;
  /** Replaces the copy of what the cluster agreed on. */
  cluster?(index: number, snapshot: string): void;
  /** Brings that copy forward. */
  changes?(index: number, changes: readonly unknown[]): void;
  /** What the nodes of the cluster tell of themselves. */
  bulletins?(self: string, nodes: readonly Bulletin[]): void;
  /** Closes what is held for that epoch; its close callbacks are not owed by this node any more. */
  epochEnded?(epoch: number): void;
  /** What became of something that this worker had asked for. */
  operated?(id: number, outcome: OperationOutcome): void;
  health(health: NodeHealth): void;
  /** Acts on the new settings when it returns; in-flight work goes on with the old ones. */
  reload(settings: Settings): void;
  /** Takes note of the figures that operators see. */
  reloads?(counts: ReloadCounts): void;
  /** Other keys for TLS tickets; ignored where no listener speaks TLS. */
  ticketKeys(ticketKeys: string): void;
  /** Logs each step of these sessions, and of no others. */
  watch?(keys: Extract<ToWorker, { type: 'watch' }>['keys']): void;
  drain(timeoutMs: number): Promise<DrainResult>;
  /** Closes what it holds; the process ends when this resolves, and soon even if it does not. */
  supervisorLost(): Promise<void>;
}

/** What the supervisor knows about its workers. */
export type NodeHealth = Omit<Extract<ToWorker, { type: 'health' }>, 'type'>;

/** What a worker hears of the cluster that its node belongs to. */
type ClusterNews = Extract<
  ToWorker,
  { type: 'cluster' | 'changes' | 'bulletins' | 'epoch_ended' | 'operated' }
>;

/** How a drain went. */
export type DrainResult = Omit<Extract<FromWorker, { type: 'drained' }>, 'type'>;

/** What the duties need. */
export interface WorkerDutiesDoors {
  readonly channel: WorkerChannel;
  readonly timers: Timers;
  /** Builds the role; its failure is fatal. */
  readonly build: (init: WorkerInit) => Promise<WorkerRole>;
  /** Ends the process; called once. */
  readonly exit: (exitCode: number) => void;
  /** Notes a failure that nobody expected. */
  readonly note: (failure: unknown, message: string) => void;
}

/** Time for clients to hear of a lost supervisor; nobody is left to end the process later. */
const LOST_EXIT_MS = 4_000;
/** Time for the last words to reach the supervisor. */
const LAST_WORDS_MS = 500;

/** One worker process' dealings with its supervisor. */
export class WorkerDuties {
  readonly #doors: WorkerDutiesDoors;
  #role: WorkerRole | null = null;
  /** Messages that came while the role was being built. */
  #early: [Exclude<ToWorker, WorkerInit>, ListenHandle | null][] = [];
  #lost = false;
  #dying = false;
  #exited = false;

  constructor(doors: WorkerDutiesDoors) {
    this.#doors = doors;
    doors.channel.onLost(() => this.#supervisorLost());
    doors.channel.onMessage((message, handle) => this.#receive(message, handle));
  }

  /** Ends the process because of `failure`: it is noted, told to the supervisor, and final. */
  fatal(failure: unknown): void {
    if (this.#dying) return;
    this.#dying = true;
    this.#doors.note(failure, 'this worker cannot go on');
    const message = failure instanceof Error ? failure.message : String(failure);
    this.#doors.timers.after(LAST_WORDS_MS, () => this.#exit(1));
    this.#doors.channel.send({ type: 'fatal', message }, () => this.#exit(1));
  }

  #receive(message: ToWorker, handle: ListenHandle | null): void {
    if (message.type === 'init') this.#build(message);
    else if (this.#role === null) this.#early.push([message, handle]);
    else this.#obey(this.#role, message, handle);
  }

  #build(init: WorkerInit): void {
    this.#doors.build(init).then(
      (role) => {
        this.#role = role;
        if (this.#lost) return this.#leave(role);
        this.#doors.channel.send({ type: 'ready' });
        for (const [message, handle] of this.#early.splice(0)) this.#obey(role, message, handle);
      },
      (failure: unknown) => this.fatal(failure),
    );
  }

  #obey(role: WorkerRole, message: Exclude<ToWorker, WorkerInit>, handle: ListenHandle | null): void {
    switch (message.type) {
      case 'listen':
        // The handle is missing when the socket was closed while the message was under way.
        if (handle !== null) role.listen(message.listener, handle);
        break;
      case 'unlisten':
        role.unlisten(message.listener);
        break;
      case 'peers':
        role.peers(message.peers, message.ended);
        break;
      case 'grant':
        role.grant(message);
        this.#doors.channel.send({ type: 'alive' });
        break;
      case 'cluster':
      case 'changes':
      case 'bulletins':
      case 'epoch_ended':
      case 'operated':
        this.#learn(role, message);
        break;
      case 'health':
        role.health(message);
        break;
      case 'reload':
        role.reload({ ...message.config, endpoint: message.endpoint });
        this.#doors.channel.send({ type: 'reloaded', generation: message.generation });
        break;
      case 'reloads':
        role.reloads?.(message);
        break;
      case 'ticket_keys':
        role.ticketKeys(message.ticketKeys);
        break;
      case 'watch':
        role.watch?.(message.keys);
        break;
      case 'drain':
        role.drain(message.timeoutMs).then(
          (result) => this.#doors.channel.send({ type: 'drained', ...result }, () => this.#exit(0)),
          (failure: unknown) => this.fatal(failure),
        );
        break;
    }
  }

  #learn(role: WorkerRole, message: ClusterNews): void {
    if (message.type === 'cluster') role.cluster?.(message.index, message.snapshot);
    else if (message.type === 'changes') role.changes?.(message.index, message.changes);
    else if (message.type === 'bulletins') role.bulletins?.(message.self, message.nodes);
    else if (message.type === 'epoch_ended') role.epochEnded?.(message.epoch);
    else role.operated?.(message.id, message.outcome);
  }

  #supervisorLost(): void {
    this.#lost = true;
    this.#doors.timers.after(LOST_EXIT_MS, () => this.#exit(1));
    if (this.#role !== null) this.#leave(this.#role);
  }

  #leave(role: WorkerRole): void {
    role.supervisorLost().then(
      () => this.#exit(1),
      (failure: unknown) => {
        this.#doors.note(failure, 'the clients could not be told that the supervisor is gone');
        this.#exit(1);
      },
    );
  }

  #exit(exitCode: number): void {
    if (this.#exited) return;
    this.#exited = true;
    this.#doors.exit(exitCode);
  }
}
