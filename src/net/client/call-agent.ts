/**
 * The sockets of callbacks over plain HTTP: dialled when none is idle, kept from answer to call.
 *
 * Does for node:http what its own agent does, without lists by name, copies of options and timers
 * for each answer, which cost a tenth of a callback. A socket comes back when its answer was whole
 * and both sides stay; it leaves for the next call, for having been idle too long, or with its
 * other end. TLS is left to node's agent, which also keeps sessions. `http-call.ts` makes requests.
 */
import { Agent, type ClientRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Cancellable, Timers } from '../../base/index.ts';
import { findHeader } from '../http/header-lookup.ts';
import type { RawHeaders } from '../types.ts';

/** What is kept: how many for one host and port, and for how long. */
export interface IdleBounds {
  readonly socketsMax: number;
  readonly idleMs: number;
}

const PLACE = Symbol('place');
const LOOKS_LEFT = Symbol('looks left');

type KeptSocket = Socket & {
  [PLACE]: Place;
  /** How often an idle socket is looked at before it is closed; 0: it is in use. */
  [LOOKS_LEFT]: number;
  /** The request that node:http has it for. */
  _httpMessage?: { readonly res?: { readonly rawHeaders: RawHeaders } | null } | null;
};

/** Idle sockets are looked at together, because a timer for each answer costs more. */
const LOOK_MS = 1_000;
/** What servers announce in `Keep-Alive` ends this much sooner: a call may be on its way by then. */
const HINT_MARGIN_S = 1;
const HINT = /^timeout=(\d+)/;
const PROBES_AFTER_MS = 1_000;

/** A host and port, with the sockets that are idle there; the one that came last goes first. */
class Place {
  readonly host: string;
  readonly port: number;
  readonly idle: KeptSocket[] = [];
  readonly #owner: CallAgent;

  constructor(host: string, port: number, owner: CallAgent) {
    this.host = host;
    this.port = port;
    this.#owner = owner;
  }

  dial(): KeptSocket {
    const { host, port } = this;
    const options = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBES_AFTER_MS };
    const socket = connect(options) as KeptSocket;
    socket[PLACE] = this;
    socket[LOOKS_LEFT] = 0;
    socket.on('free', onFree);
    socket.on('error', onError);
    socket.on('close', onClose);
    this.#owner.opened(socket);
    return socket;
  }

  /** Null: there is none. */
  take(): KeptSocket | null {
    for (;;) {
      const socket = this.idle.pop();
      if (socket === undefined) return null;
      socket[LOOKS_LEFT] = 0;
      if (!socket.destroyed && socket.writable) return socket;
      socket.destroy();
    }
  }

  /** The answer on it was whole. */
  freed(socket: KeptSocket): void {
    const request = socket._httpMessage ?? null;
    const looks = request === null || !socket.writable ? 0 : this.#owner.looksFor(request.res?.rawHeaders);
    if (looks === 0 || this.idle.length >= this.#owner.bounds.socketsMax) {
      socket.destroy();
      return;
    }
    socket._httpMessage = null;
    socket[LOOKS_LEFT] = looks;
    socket.unref();
    this.idle.push(socket);
    this.#owner.keepLooking();
  }

  closed(socket: KeptSocket): void {
    const index = socket[LOOKS_LEFT] === 0 ? -1 : this.idle.indexOf(socket);
    if (index !== -1) this.idle.splice(index, 1);
    this.#owner.closed(socket);
  }
}

/** The sockets of one client of callbacks. */
export class CallAgent extends Agent {
  readonly bounds: IdleBounds;
  readonly #timers: Timers;
  readonly #all = new Set<KeptSocket>();
  /** As many as hosts and ports were configured since the process began. */
  readonly #places = new Map<string, Place>();
  /** Where the last call went: the next one goes there, too. */
  #last: Place | null = null;
  #looking: Cancellable | null = null;

  constructor(bounds: IdleBounds, timers: Timers) {
    super({ keepAlive: true });
    this.bounds = bounds;
    this.#timers = timers;
  }

  /** Sockets that are open, the idle ones included. */
  get size(): number {
    return this.#all.size;
  }

  /** Gives a request a socket; node:http calls it for each of them. */
  addRequest(request: ClientRequest, { host, port }: { readonly host: string; readonly port: number }): void {
    const place = this.#place(host, port);
    const kept = place.take();
    if (kept !== null) {
      request.reusedSocket = true;
      kept.ref();
    }
    request.onSocket(kept ?? place.dial());
  }

  /** Closes all sockets, busy ones included. */
  override destroy(): void {
    this.#looking?.cancel();
    this.#looking = null;
    for (const socket of this.#all) socket.destroy();
  }

  /** For places: a socket was dialled, or is gone. */
  opened(socket: KeptSocket): void {
    this.#all.add(socket);
  }

  closed(socket: KeptSocket): void {
    this.#all.delete(socket);
  }

  /** For places: how long a socket may be idle after this answer; 0: not at all. */
  looksFor(headers: RawHeaders = []): number {
    const looks = Math.ceil(this.bounds.idleMs / LOOK_MS);
    const hint = HINT.exec(findHeader(headers, 'keep-alive') ?? '')?.[1];
    if (hint === undefined) return looks;
    return Math.min(looks, Math.max(0, ((Number(hint) - HINT_MARGIN_S) * 1_000) / LOOK_MS));
  }

  /** For places: there is an idle socket. */
  keepLooking(): void {
    this.#looking ??= this.#timers.every(LOOK_MS, () => this.#look());
  }

  #look(): void {
    let idle = 0;
    for (const { idle: sockets } of this.#places.values()) {
      idle += sockets.length;
      for (const socket of sockets) {
        if (--socket[LOOKS_LEFT] > 0) continue;
        // Its place forgets it when it is closed; until then it is not to be taken.
        socket[LOOKS_LEFT] = 1;
        socket.destroy();
      }
    }
    if (idle > 0) return;
    this.#looking?.cancel();
    this.#looking = null;
  }

  #place(host: string, port: number): Place {
    const last = this.#last;
    if (last !== null && last.host === host && last.port === port) return last;
    const name = `${host} ${port}`;
    const place = this.#places.get(name) ?? new Place(host, port, this);
    this.#places.set(name, place);
    this.#last = place;
    return place;
  }
}

function onFree(this: KeptSocket): void {
  this[PLACE].freed(this);
}

function onClose(this: KeptSocket): void {
  this[PLACE].closed(this);
}

function onError(): void {
  // A request on it hears of the error itself; on an idle socket `close` says all that matters.
}
