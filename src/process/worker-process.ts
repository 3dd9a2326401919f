/**
 * A worker process, as its supervisor sees it: messages out, messages in, one exit.
 *
 * It decides nothing; wanted workers and restarts are the supervisor's. Workers stay in the
 * supervisor's process group, so that whoever signals the group reaches all of the node.
 */
import { type ChildProcess, fork, type SendHandle } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ListenHandle } from './bind.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** How a process ended: by itself with a code, by a signal, or (neither) it never started. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One process from its start to its end. Listeners are registered in the turn of the spawn. */
export interface WorkerProcess {
  /** 0 when the process could not be started; its exit follows. */
  readonly pid: number;
  /** Sends, in order; silently lost when the process is gone. The sender keeps its own `handle`. */
  send(message: ToWorker, handle?: ListenHandle): void;
  /** Ends it at once (SIGKILL). */
  kill(): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** Called once, after the last message. */
  onExit(listener: (exit: WorkerExit) => void): void;
}

/** What to start. */
export interface WorkerCommand {
  /** The module that the process runs. */
  readonly entry: URL;
  /** Flags for Node; absent: those of this process. */
  readonly execArgv?: readonly string[];
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A worker that lets this many messages pile up behind a full channel has long stopped serving. */
const UNSENT_MESSAGES_MAX = 1_024;

/** Starts a worker process; failures show as its exit. */
export function spawnWorker(command: WorkerCommand): WorkerProcess {
  try {
    const child = fork(fileURLToPath(command.entry), [], {
      env: { ...command.env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      ...(command.execArgv === undefined ? {} : { execArgv: [...command.execArgv] }),
    });
    return new ForkedWorker(child);
  } catch {
    // A host without memory or descriptors left is no reason for the supervisor to fall as well.
    return unstartedWorker();
  }
}

function unstartedWorker(): WorkerProcess {
  return {
    pid: 0,
    send: () => {},
    kill: () => {},
    onMessage: () => {},
    onExit: (listener) => process.nextTick(listener, { code: null, signal: null }),
  };
}

class ForkedWorker implements WorkerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  #unsent = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    // Also raised for a message to a process that has just died; the exit says all there is to say.
    child.on('error', () => {});
  }

  send(message: ToWorker, handle?: ListenHandle): void {
    if (!this.#child.connected) return;
    this.#unsent++;
    if (this.#unsent > UNSENT_MESSAGES_MAX) this.kill();
    this.#child.send(message, handle as unknown as SendHandle, () => {
      this.#unsent--;
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  onMessage(listener: (message: FromWorker) => void): void {
    this.#child.on('message', (message) => listener(message as FromWorker));
  }

  onExit(listener: (exit: WorkerExit) => void): void {
    let told = false;
    const tell = (code: number | null, signal: string | null): void => {
      if (told) return;
      told = true;
      listener({ code, signal });
    };
    // `close`, not `exit`: the last messages of a process are often read after its end is known.
    this.#child.on('close', tell);
    if (this.#child.pid === undefined) this.#child.on('error', () => tell(null, null));
  }
}
