/**
 * What a supervisor stands on and what it gives back, as `main/` sees it. Types only.
 */
import type { Cancellable, Clock, Logger, Random, Timers, WorkerSlot } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import type { WorkerKind, WorkerProcess, WorkerTls } from '../process/index.ts';
import type { ClusterDoors } from './cluster/doors.ts';
import type { BindDoors, ListenerAddress } from './listeners.ts';
import type { Reread } from './reloading.ts';

/** What a supervisor needs from the world. */
export interface SupervisorDoors extends BindDoors {
  readonly config: Config;
  /** Reads the configuration again, where a reload is asked for. */
  readonly reread: Reread;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  /** `name@host`, given or derived. */
  readonly nodeName: string;
  /** Drawn anew at each start of the node. */
  readonly bootId: string;
  /** Name of the host, for the default of `X-Kuiperbelt-Endpoint`. */
  readonly hostname: string;
  readonly dataDir: string;
  /** An existing directory for the unix sockets of the mesh; its path leaves room for a file name. */
  readonly meshDir: string;
  /** Starts a worker process. Its environment and entry are the caller's knowledge. */
  readonly spawn: (kind: WorkerKind) => WorkerProcess;
  /** Keeps this process alive until cancelled: between two runs of its only worker it has nothing else. */
  readonly keepAlive: () => Cancellable;
  /** Journals that the next run of a gateway's slot answers for; asked when no run of it is alive. */
  readonly journalsOf: (slot: WorkerSlot) => readonly string[];
  /** What the node agrees on with others, and how it reaches them. */
  readonly log: Pick<ClusterDoors, 'facts' | 'drawBoot' | 'createLog' | 'openPort'>;
  /** What workers speak TLS with; null where no listener does. */
  readonly tls?: NodeTls | null;
  /** Gives back what was taken for this start (data directory, mesh directory); called once, last. */
  readonly release: () => void | Promise<void>;
}

/** The secrets of a node's TLS; drawn and read elsewhere, handed out here. */
export interface NodeTls {
  /** For a worker that begins. */
  forWorker(): WorkerTls;
  /** Draws new ticket keys, which count from now on. */
  nextTicketKeys(): string;
}

/** A node that serves. */
export interface StartedNode {
  /** Empty when a stop came before the node was ready. */
  readonly listeners: readonly ListenerAddress[];
}

/** What asks the node to stop. */
export type StopCause = 'SIGTERM' | 'SIGINT';
