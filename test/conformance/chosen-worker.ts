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

/** Two workers share the accepts roughly evenly; so many in a row to one of them do not happen. */
const DIALS_MAX = 400;

/** The process id of the worker that serves `socket`, our end of a TCP connection to `node`. */
export function workerOf(node: RunningNode, socket: Socket): number {
  const inode = inodeOf(socket.remotePort as number, socket.localPort as number);
  for (const pid of node.workers()) if (holds(pid, inode)) return pid;
  throw new Error(`no worker holds the socket with inode ${inode}`);
}

/** Process ids of the workers that serve clients, lowest first. */
export async function gatewayWorkers(node: RunningNode, count: number): Promise<number[]> {
  const found = new Set<number>();
  const sockets: Socket[] = [];
  while (found.size < count && sockets.length < DIALS_MAX) {
    const socket = await dial(node.addresses.public);
    sockets.push(socket);
    found.add(workerOf(node, socket));
  }
  for (const socket of sockets) socket.destroy();
  if (found.size < count) throw new Error(`only ${found.size} of ${count} workers accept`);
  return [...found].sort((left, right) => left - right);
}

/** Opens a WebSocket at the worker `pid`. */
export async function openAt(node: RunningNode, pid: number, target: RawTarget): Promise<RawClient> {
  const socket = await dialWorker(node, pid, node.addresses.public);
  const client = new RawClient(socket);
  socket.write(handshakeText({ port: node.addresses.public.port, ...target }));
  cleanUpAfterwards(() => {
    socket.destroy();
  });
  const answer = await client.answered;
  if (answer.status !== 101) throw new Error(`the handshake was answered with ${answer.status}`);
  return client;
}

/** An agent whose one connection is served by the worker `pid`. */
export async function agentAt(
  node: RunningNode,
  pid: number,
  address: NodeAddress = node.addresses.public,
): Promise<Agent> {
  const socket = await dialWorker(node, pid, address);
  const agent = new OneSocketAgent(socket);
  cleanUpAfterwards(() => agent.destroy());
  return agent;
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

async function dialWorker(node: RunningNode, pid: number, address: NodeAddress): Promise<Socket> {
  const others: Socket[] = [];
  let chosen: Socket | null = null;
  while (chosen === null && others.length < DIALS_MAX) {
    const socket = await dial(address);
    if (workerOf(node, socket) === pid) chosen = socket;
    else others.push(socket);
  }
  for (const socket of others) socket.destroy();
  if (chosen === null) throw new Error(`worker ${pid} accepted none of ${DIALS_MAX} connections`);
  return chosen;
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
      socket.pause();
      resolve(socket);
    };
    socket.on('data', read);
    socket.on('error', reject);
    socket.write(`GET /ping HTTP/1.1\r\nHost: ${address.host}\r\n\r\n`);
  });
}

/** The inode of the accepted socket between these two ports of loopback. */
function inodeOf(serverPort: number, clientPort: number): string {
  const local = `0100007F:${hex(serverPort)}`;
  const remote = `0100007F:${hex(clientPort)}`;
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[1] === local && fields[2] === remote) return fields[9] as string;
  }
  throw new Error(`no connection from port ${clientPort} to port ${serverPort}`);
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

function holds(pid: number, inode: string): boolean {
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      if (readlinkSync(`/proc/${pid}/fd/${descriptor}`) === `socket:[${inode}]`) return true;
    } catch {
      // It was closed while we looked.
    }
  }
  return false;
}
