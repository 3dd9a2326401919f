/**
 * Accepts sockets on a handle that somebody else bound, and gives it back without touching a socket.
 */
import * as net from 'node:net';
import { assert, type Logger } from '../../base/index.ts';
import type { ListenHandle } from '../types.ts';
import type { AcceptGate } from './accept-gate.ts';

/** What becomes of sockets and failures. */
export interface AcceptorDoors {
  readonly logger: Logger;
  /** Null: failures are only logged. */
  readonly gate: AcceptGate | null;
  readonly accepted: (socket: net.Socket) => void;
}

/** Connects that the kernel holds for us while a turn is long; it may cap this further. */
const BACKLOG = 4_096;
/** The part of a server that its type declarations leave out. */
interface AdoptingServer {
  _handle: ListenHandle;
  _listen2?(address: null, port: number, addressType: number, backlog: number): void;
}

/** Accepts on one handle at a time. */
export class Acceptor {
  readonly #doors: AcceptorDoors;
  #server: net.Server | null = null;

  constructor(doors: AcceptorDoors) {
    this.#doors = doors;
  }

  /** Accepts on a bound handle, which belongs to this one from now on. */
  listen(handle: ListenHandle): void {
    this.stop();
    // Half-open sockets as node:http has them: the end of a request is not the end of its answer.
    const server = net.createServer({ allowHalfOpen: true, noDelay: true });
    server.on('connection', this.#doors.accepted);
    server.on('error', (error) => this.#failed(error));
    listenOn(server, handle);
    this.#server = server;
  }

  /** Gives the handle back. Open sockets live on. */
  stop(): void {
    this.#server?.close();
    this.#server = null;
  }

  #failed(error: NodeJS.ErrnoException): void {
    const { gate, logger } = this.#doors;
    if (gate === null) logger.warn({ error: error.message }, 'cannot accept');
    else gate.failed(error);
  }
}

/**
 * `Server.listen` adopts TCP handles only. Of a unix socket it would make a second handle with the
 * same descriptor, and whichever is closed last would then close somebody else's. So a unix socket
 * is adopted as node:cluster adopts handles in its workers.
 */
function listenOn(server: net.Server, handle: ListenHandle): void {
  if (handle.constructor.name !== 'Pipe') {
    server.listen(handle, BACKLOG);
    return;
  }
  const inside = server as unknown as AdoptingServer;
  assert(typeof inside._listen2 === 'function', 'this release of Node adopts unix sockets');
  inside._handle = handle;
  inside._listen2(null, -1, -1, BACKLOG);
}
