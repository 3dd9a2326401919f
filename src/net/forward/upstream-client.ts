/**
 * Passes requests and WebSockets on to backends, without reading them whole.
 *
 * Keeps what is on its way, looks at the clock for all of it in one sweep, and ends it when the node
 * does. What becomes of one request is the business of `forwarding.ts`, of one WebSocket that of
 * `forwarded-upgrade.ts` and `tunnel.ts`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { assert, type Cancellable, type Clock, LIMITS, type Random, type Timers } from '../../base/index.ts';
import { BackendAgents } from '../client/backend-agents.ts';
import { type CheckedBackends, checkBackends } from '../client/backend-checks.ts';
import { HttpClient } from '../client/http-client.ts';
import { PlainRequest } from '../http/http-exchange.ts';
import { PendingUpgrade } from '../http/upgrade-request.ts';
import type { HttpRequest, UpgradeRequest } from '../types.ts';
import { ForwardedUpgrade, type UpgradeForwardDoors } from './forwarded-upgrade.ts';
import { Forwarding, type Swept } from './forwarding.ts';
import { Tunnel } from './tunnel.ts';
import type { ForwardPlan, TunnelPlan, UpstreamLimits } from './upstream-types.ts';

/** How often what is overdue is looked for, within the shortest of the bounds. */
const SWEEPS_PER_TIMEOUT = 10;
const SWEEP_MIN_MS = 10;
const SWEEP_MAX_MS = 1_000;
/** Requests that one connection may send ahead; a client that sends more is cut. */
const PIPELINED_MAX = 64;

/** Checks are no callbacks: nothing is signed, and nobody waits for a place. */
const NO_CALLBACKS = { maxQueued: 0, sign: null, allowPrivateRedirects: false };

const WAITING = Symbol('pipelined');
type PipeliningSocket = Socket & { [WAITING]?: number };

/** All that is passed on by one worker. */
export class UpstreamClient {
  readonly #agents: BackendAgents;
  readonly #timers: Timers;
  readonly #doors: UpgradeForwardDoors;
  readonly #running = new Set<Swept>();
  readonly #sweep: Cancellable;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #health: UpstreamLimits['health'];
  #stopChecks: () => void = () => {};
  #draining = false;
  #closed = false;
  #whenQuiet: (() => void) | null = null;

  constructor(
    limits: UpstreamLimits,
    doors: { readonly clock: Clock; readonly timers: Timers; readonly random: Random },
  ) {
    this.#random = doors.random;
    this.#health = limits.health;
    this.#clock = doors.clock;
    this.#timers = doors.timers;
    this.#agents = new BackendAgents(limits);
    this.#doors = {
      agents: this.#agents,
      limits,
      timers: doors.timers,
      nowMs: () => this.#clock.monotonicMs(),
      opened: (tunnel) => {
        this.#running.add(tunnel);
        if (this.#draining) tunnel.end();
      },
      ended: (swept) => {
        this.#running.delete(swept);
        if (this.#running.size === 0) this.#whenQuiet?.();
      },
    };
    const { connectTimeoutMs, responseTimeoutMs, idleTimeoutMs } = limits;
    const shortestMs = Math.min(connectTimeoutMs, responseTimeoutMs, idleTimeoutMs);
    const periodMs = Math.ceil(
      Math.min(SWEEP_MAX_MS, Math.max(SWEEP_MIN_MS, shortestMs / SWEEPS_PER_TIMEOUT)),
    );
    this.#sweep = doors.timers.every(periodMs, () => this.#check());
  }

  /** True: nothing more is passed on. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Requests and WebSockets that are being passed on; each holds a socket to the application. */
  get inFlight(): number {
    return this.#running.size;
  }

  /** Checks the health of backends from now on, where that is configured. */
  watch(backends: CheckedBackends): void {
    const { path } = this.#health;
    if (path === null) return;
    // Not one of the pools: a check finds out whether the backend still takes new connections.
    const maxInFlight = LIMITS.backendsMax;
    const client = new HttpClient({ ...NO_CALLBACKS, maxInFlight, timers: this.#timers });
    const health = { ...this.#health, path };
    const checks = checkBackends({ backends, health, client, timers: this.#timers, random: this.#random });
    this.#stopChecks = () => {
      checks.cancel();
      client.close();
    };
  }

  /** Passes a request on when it is its turn on its connection. `plan.ended` is called once. */
  forward(request: HttpRequest, plan: ForwardPlan): void {
    assert(request instanceof PlainRequest, 'the request is one of our servers');
    const { message, exchange } = request.streams;
    const { response } = exchange;
    const start = (): void => {
      const forwarding = new Forwarding(message, exchange, plan, this.#doors);
      this.#running.add(forwarding);
      forwarding.start();
    };
    if (response.socket !== null) start();
    else this.#wait(message, response, plan, start);
  }

  /** Passes a handshake on. `plan.ended` is called once. */
  tunnel(request: UpgradeRequest, plan: TunnelPlan): void {
    assert(request instanceof PendingUpgrade, 'the request is one of our servers');
    const upgrade = new ForwardedUpgrade(request, plan, this.#doors);
    this.#running.add(upgrade);
    upgrade.start();
  }

  /** Ends tunnels, and waits for them and for requests on their way; the bound passed, cuts all. */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    for (const swept of [...this.#running]) if (swept instanceof Tunnel) swept.end();
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        const bound = this.#timers.after(timeoutMs, resolve);
        this.#whenQuiet = () => {
          bound.cancel();
          resolve();
        };
      });
    }
    this.close();
  }

  /** Cuts everything. */
  close(): void {
    this.#closed = true;
    this.#whenQuiet = null;
    this.#sweep.cancel();
    this.#stopChecks();
    for (const swept of [...this.#running]) swept.abort();
    this.#agents.close();
  }

  /**
   * Requests that were sent ahead are passed on one after the other, as their answers would have to
   * be: one client must not hold many places, nor fill memory with what it will not hear soon.
   */
  #wait(message: IncomingMessage, response: ServerResponse, plan: ForwardPlan, start: () => void): void {
    const socket = message.socket as PipeliningSocket;
    const waiting = (socket[WAITING] ?? 0) + 1;
    socket[WAITING] = waiting;
    const leave = (): void => {
      response.off('socket', leave);
      message.off('close', leave);
      socket[WAITING] = (socket[WAITING] ?? 1) - 1;
      if (!socket.destroyed) return start();
      // node:http says nothing of answers whose turn never came.
      response.emit('close');
      plan.ended({ type: 'pipelined', status: null, requestBytes: 0, answerBytes: 0 });
    };
    response.once('socket', leave);
    message.once('close', leave);
    if (waiting > PIPELINED_MAX) socket.destroy();
  }

  #check(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const swept of this.#running) swept.check(nowMs);
  }
}
