/**
 * Asks each backend, time and again, whether it is well.
 *
 * Each worker asks for itself. A check is a GET with a new connection, so that it also finds out
 * whether the backend still takes any; it is signed like callbacks, and no redirect is followed.
 * Checks of one backend never overlap, and chance keeps the workers of a node out of step.
 */
import type { Cancellable, Random, Result, Timers } from '../../base/index.ts';
import type { BackendHealthConfig } from '../../config/index.ts';
import type { HttpAnswer, HttpFailure } from '../types.ts';
import type { HttpClient } from './http-client.ts';

/** Who is checked, and who hears of it. */
export interface CheckedBackends {
  /** `http://host:port`, by number. */
  readonly origins: readonly string[];
  /** `fault` null: the backend is well. */
  checked(backend: number, fault: string | null): void;
}

/** How checks are made. */
export interface BackendCheckDoors {
  readonly backends: CheckedBackends;
  readonly health: BackendHealthConfig & { readonly path: string };
  /** Not the client of callbacks: a check must not wait behind them. */
  readonly client: HttpClient;
  readonly timers: Timers;
  readonly random: Random;
}

/** The body of an answer is not used; what is larger than this is no answer to such a question. */
const REPLY_BYTES_MAX = 64 * 1_024;
/** Chance makes an interval this much longer or shorter. */
const JITTER = 0.1;
const HEADERS = ['User-Agent', 'Arrokoth-Health-Check', 'Connection', 'close'];

/** Begins to check all backends; the first checks are spread over one interval. */
export function checkBackends(doors: BackendCheckDoors): Cancellable {
  const checks = doors.backends.origins.map((origin, backend) => new BackendCheck(doors, origin, backend));
  return {
    cancel: () => {
      for (const check of checks) check.stop();
    },
  };
}

/** The checks of one backend. */
class BackendCheck {
  readonly #doors: BackendCheckDoors;
  readonly #url: string;
  readonly #backend: number;
  #timer: Cancellable;
  #stopped = false;

  constructor(doors: BackendCheckDoors, origin: string, backend: number) {
    this.#doors = doors;
    this.#url = origin + doors.health.path;
    this.#backend = backend;
    this.#timer = doors.timers.after(doors.random.fraction() * doors.health.intervalMs, () => this.#ask());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer.cancel();
  }

  #ask(): void {
    const { client, health } = this.#doors;
    const call = {
      ...{ method: 'GET', url: this.#url, headers: HEADERS, body: null },
      ...{ timeoutMs: health.timeoutMs, replyBytesMax: REPLY_BYTES_MAX, redirectsMax: 0 },
    };
    client.call(call, (answer) => {
      if (this.#stopped) return;
      this.#doors.backends.checked(this.#backend, this.#faultOf(answer));
      this.#again();
    });
  }

  #again(): void {
    const { timers, random, health } = this.#doors;
    const share = 1 - JITTER + 2 * JITTER * random.fraction();
    this.#timer = timers.after(health.intervalMs * share, () => this.#ask());
  }

  #faultOf(answer: Result<HttpAnswer, HttpFailure>): string | null {
    if (!answer.ok) return answer.error.message;
    const { status } = answer.value;
    const { min, max } = this.#doors.health.status;
    return status >= min && status <= max ? null : `status ${status}`;
  }
}
