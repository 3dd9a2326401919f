/**
 * Connections to a chosen worker of a node, for what must hold between two of them.
 *
 * The kernel decides who accepts, and /proc says who did: the worker that holds the socket at the
 * other end of ours. So the tests need no door that users do not have. Linux only, as are the tests.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Agent, type ClientRequestArgs } from 'node:http';
import { connect as connectSocket, type Socket } from 'node:net';
import {
  cleanUpAfterwards,
  handshakeText,
  type NodeAddress,
  RawClient,
  type RawTarget,
  type RunningNode,
} from '../support/index.ts';

/** Connections that are made at once; /proc is read once for all of them. */
const BATCH = 12;
/** Workers share the accepts roughly evenly; so many batches without one of them do not happen. */
const BATCHES_MAX = 20;

/** The workers of one listener, by place: 0 for the one with the lowest process id. */
export class ChosenWorkers {
  readonly pids: readonly number[];
  readonly #address: NodeAddress;
  readonly #spare: Map<number, Socket[]>;
  #dialing: Promise<void> | null = null;

  private constructor(address: NodeAddress, spare: Map<number, Socket[]>) {
    this.#address = address;
    this.#spare = spare;
    this.pids = [...spare.keys()].sort((left, right) => left - right);
  }

  /** Finds the `count` workers that accept at `address`, the public listener unless told. */
  static async of(
    node: RunningNode,
    count: number,
    address: NodeAddress = node.addresses.public,
  ): Promise<ChosenWorkers> {
    const spare = new Map<number, Socket[]>();
    cleanUpAfterwards(() => {
      for (const sockets of spare.values()) for (const socket of sockets) socket.destroy();
    });
    for (let batch = 0; batch < BATCHES_MAX && spare.size < count; batch++) {
      await dialBatch(address, node.workers(), spare);
    }
    if (spare.size < count) throw new Error(`only ${spare.size} of ${count} workers accept`);
    return new ChosenWorkers(address, spare);
  }

  /** Opens a WebSocket at the worker at `place`, counted round. */
  async open(place: number, target: RawTarget): Promise<RawClient> {
    const socket = await this.#take(place);
    const client = new RawClient(socket);
    socket.write(handshakeText({ port: this.#address.port, ...target }));
    cleanUpAfterwards(() => {
      socket.destroy();
    });
    const answer = await client.answered;
    if (answer.status !== 101) throw new Error(`the handshake was answered with ${answer.status}`);
    return client;
  }

  /** An agent whose one connection is served by the worker at `place`, counted round. */
  async agent(place: number): Promise<Agent> {
    const agent = new OneSocketAgent(await this.#take(place));
    cleanUpAfterwards(() => agent.destroy());
    return agent;
  }

  async #take(place: number): Promise<Socket> {
    const pid = this.pids[place % this.pids.length] as number;
    for (let batch = 0; batch < BATCHES_MAX; batch++) {
      const socket = this.#spare.get(pid)?.pop();
      if (socket !== undefined) return socket;
      // One batch at a time, however many wait for it.
      this.#dialing ??= dialBatch(this.#address, this.pids, this.#spare).finally(() => {
        this.#dialing = null;
      });
      await this.#dialing;
    }
    throw new Error(`worker ${pid} accepts no more`);
  }
}

/** Sends everything over a connection that exists already; a second connection is a mistake. */
class OneSocketAgent extends Agent {
  #socket: Socket | null;

  constructor(socket: Socket) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(_options: ClientRequestArgs): Socket {
    const socket = this.#socket;
    if (socket === null) throw new Error('the worker closed the connection that was chosen for it');
    this.#socket = null;
    return socket;
  }
}

async function dialBatch(
  address: NodeAddress,
  pids: readonly number[],
  spare: Map<number, Socket[]>,
): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: BATCH }, () => dial(address)));
  const inodes = inodesByClientPort(address.port);
  const holders = holdersByInode(pids);
  for (const socket of sockets) {
    const pid = holders.get(inodes.get(socket.localPort as number) ?? '');
    if (pid === undefined) throw new Error('no worker holds a connection that was answered');
    const others = spare.get(pid);
    if (others === undefined) spare.set(pid, [socket]);
    else others.push(socket);
  }
}

/** A connection that some worker has certainly accepted, because it has answered a request on it. */
function dial(address: NodeAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: address.host, port: address.port });
    socket.setNoDelay(true);
    let text = '';
    const read = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!text.endsWith('{"result":"OK"}')) return;
      socket.off('data', read);
      socket.off('error', reject);
      resolve(socket);
    };
    socket.on('data', read);
    socket.on('error', reject);
    socket.write(`GET /ping HTTP/1.1\r\nHost: ${address.host}\r\n\r\n`);
  });
}

/** The inodes of the accepted sockets of a port of 127.0.0.1, by the port of their clients. */
function inodesByClientPort(serverPort: number): Map<number, string> {
  const local = `0100007F:${serverPort.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Map<number, string>();
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    if (!line.includes(` ${local} `)) continue;
    const [, from, to, , , , , , , inode] = line.trim().split(/\s+/);
    if (from === local)
      inodes.set(Number.parseInt((to as string).split(':')[1] as string, 16), inode as string);
  }
  return inodes;
}

function holdersByInode(pids: readonly number[]): Map<string, number> {
  const holders = new Map<string, number>();
  for (const pid of pids) {
    for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
        if (inode !== undefined) holders.set(inode, pid);
      } catch {
        // It was closed while we looked.
      }
    }
  }
  return holders;
}
