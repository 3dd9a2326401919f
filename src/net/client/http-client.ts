/**
 * The HTTP client of callbacks: keep-alive pools, and a bound on what is in flight.
 *
 * node:http speaks, because its lenient parser understands what real applications answer
 * (`bench/callback-clients.ts` shows what that costs against others). What becomes of one call is
 * the business of `http-call.ts`.
 */
import { Agent, type AgentOptions } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { BoundedQueue, failed, LIMITS, type Result, type Timers } from '../../base/index.ts';
import type { CallbackSigner } from '../../relay/index.ts';
import type { HttpAnswer, HttpCall, HttpFailure } from '../types.ts';
import { CallAgent } from './call-agent.ts';
import type { CallbackBackends } from './callback-backends.ts';
import { type Agents, type CallDoors, RunningCall } from './http-call.ts';
import { RedirectGuard } from './redirect-guard.ts';

/** Bounds and secrets; they may be adjusted while calls are made. */
export interface HttpClientRules {
  /** Calls that are made at once; further ones wait. */
  readonly maxInFlight: number;
  /** Calls that wait; further ones fail with `busy`. */
  readonly maxQueued: number;
  /** Whether redirects may lead to private and loopback addresses of other hosts than the configured. */
  readonly allowPrivateRedirects?: boolean;
  /** Signs every attempt that goes where its caller wanted it; absent or null: nothing is signed. */
  readonly sign?: CallbackSigner | null;
}

/** The rules at first, and doors. */
export interface HttpClientOptions extends HttpClientRules {
  readonly timers: Timers;
  /** Chooses where calls with several URLs go; absent or null: no call has several. */
  readonly backends?: CallbackBackends | null;
  /** Resolves the names that redirects lead to; absent: the host's resolver. */
  readonly resolve?: LookupFunction;
}

type Done = (result: Result<HttpAnswer, HttpFailure>) => void;

interface WaitingCall {
  readonly call: HttpCall;
  readonly done: Done;
}

/** Makes calls to applications. */
export class HttpClient {
  #maxInFlight: number;
  readonly #waiting: BoundedQueue<WaitingCall>;
  readonly #running = new Set<RunningCall>();
  readonly #doors: CallDoors & { sign: CallbackSigner | null };
  readonly #timers: Timers;
  readonly #plain: CallAgent;
  #starting: RunningCall[] = [];
  #inFlight = 0;
  #closed = false;

  constructor(options: HttpClientOptions) {
    this.#maxInFlight = options.maxInFlight;
    this.#timers = options.timers;
    this.#waiting = new BoundedQueue(options.maxQueued);
    const idle = { socketsMax: LIMITS.callbackIdleSocketsMax, idleMs: LIMITS.callbackIdleSocketMs };
    const secure = { keepAlive: true, maxFreeSockets: idle.socketsMax, timeout: idle.idleMs };
    this.#plain = new CallAgent(idle, options.timers);
    const guard = new RedirectGuard({
      allowPrivate: options.allowPrivateRedirects ?? false,
      resolve: options.resolve,
    });
    this.#doors = {
      timers: options.timers,
      agents: { plain: this.#plain, secure: new SecureAgent(secure) },
      guardedAgents: agentsWith({ lookup: guard.lookup }),
      guard,
      sign: options.sign ?? null,
      backends: options.backends ?? null,
      // Late answers are awaited for as many calls as may be in flight, so that an application that
      // hangs cannot make us hold sockets without limit.
      mayLinger: () => this.#running.size - this.#inFlight < this.#maxInFlight,
      settled: () => {
        this.#inFlight--;
        this.#startNext();
      },
      ended: (call) => this.#running.delete(call),
    };
  }

  /**
   * Takes new rules over. Calls that are under way or wait already go on, also where there are more
   * of them now than may be; what is sent from now on is signed as the rules say.
   */
  adjust(rules: HttpClientRules): void {
    this.#maxInFlight = rules.maxInFlight;
    this.#waiting.resize(rules.maxQueued);
    this.#doors.guard.replace(rules.allowPrivateRedirects ?? false);
    this.#doors.sign = rules.sign ?? null;
    while (this.#startNext());
  }

  /** Calls that were made and are neither answered nor timed out. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Calls that wait for one of those to end. */
  get waiting(): number {
    return this.#waiting?.size ?? 0;
  }

  /** Sockets to applications, the idle ones included. */
  get sockets(): number {
    const { agents, guardedAgents } = this.#doors;
    let count = this.#plain.size;
    for (const { sockets, freeSockets } of [agents.secure, guardedAgents.plain, guardedAgents.secure]) {
      for (const byHost of [sockets, freeSockets]) {
        for (const name in byHost) count += byHost[name]?.length ?? 0;
      }
    }
    return count;
  }

  /** Redirects that led where they must not, and were not followed. */
  get redirectsRefused(): number {
    return this.#doors.guard.refused;
  }

  /** Makes a call, now or when there is room. `done` is called exactly once, never within `call`. */
  call(call: HttpCall, done: Done): void {
    if (this.#closed) {
      queueMicrotask(() => done(failed({ kind: 'unreachable', message: 'the client is closed' })));
    } else if (this.#inFlight < this.#maxInFlight) {
      this.#start(call, done);
    } else if (!this.#waiting.push({ call, done })) {
      const message = `${this.#inFlight} calls are in flight and ${this.#waiting.size} wait`;
      queueMicrotask(() => done(failed({ kind: 'busy', message })));
    }
  }

  /** Gives up all calls and closes all sockets. */
  close(): void {
    this.#closed = true;
    const message = 'the client was closed';
    for (const { done } of this.#waiting.drain()) done(failed({ kind: 'unreachable', message }));
    for (const call of [...this.#running]) call.abort(message);
    for (const { plain, secure } of [this.#doors.agents, this.#doors.guardedAgents]) {
      plain.destroy();
      secure.destroy();
    }
  }

  #start(call: HttpCall, done: Done): void {
    const running = new RunningCall(call, done, this.#doors);
    this.#inFlight++;
    this.#running.add(running);
    if (this.#starting.push(running) === 1) this.#timers.endOfTurn(this.#startAll);
  }

  /**
   * Calls of one turn go out one right behind the other, as answers do (`fan-out-writer.ts`): between
   * the reading of what caused them each would wake the application anew, at twice the cost.
   */
  readonly #startAll = (): void => {
    const starting = this.#starting;
    this.#starting = [];
    for (const call of starting) call.start();
  };

  /** True when a call that waited has begun. */
  #startNext(): boolean {
    if (this.#closed || this.#inFlight >= this.#maxInFlight) return false;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next.call, next.done);
    return next !== undefined;
  }
}

function agentsWith(options: AgentOptions): Agents {
  return { plain: new Agent(options), secure: new SecureAgent(options) };
}
