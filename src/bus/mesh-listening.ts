/**
 * Where a worker is dialled: a unix socket for its sisters, a TCP socket for workers of other nodes.
 *
 * Accepts, and bounds what strangers may cost; who may stay is decided by `MeshBus`, which made
 * this. A socket of another host is heard for as long as a greeting takes, and cut where this node
 * is in no cluster, where too many have not greeted yet, and where nothing would protect it.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { ArrokothError, LIMITS, MESH_LIMITS, type Timers } from '../base/index.ts';
import type { ListenHandle } from '../process/index.ts';
import type { Greeting, MeshCluster, ServeGreeting } from './handshake.ts';
import { RemoteServeGreeting } from './handshake.ts';
import { InboundLink, type InboundLinkEvents } from './inbound-link.ts';
import { LocalServeGreeting } from './local-greeting.ts';
import type { MeshAuth } from './mesh-auth.ts';

/** What sockets are accepted with. */
export interface MeshListeningDoors {
  readonly timers: Timers;
  readonly outboxBytesMax: number;
  /** Null: no other nodes. */
  readonly auth: MeshAuth | null;
  /** The cluster that this node is part of now. */
  readonly cluster: () => MeshCluster | null;
  readonly accepted: (link: InboundLink) => void;
  /** `onGreeting` decides. */
  readonly sisters: InboundLinkEvents;
  readonly strangers: InboundLinkEvents;
}

/** The listening sockets of one worker's bus. */
export class MeshListening {
  readonly #doors: MeshListeningDoors;
  readonly #servers: Server[] = [];
  /** Links of other hosts that have not greeted yet. */
  readonly #strangers = new Set<InboundLink>();
  readonly #strangerEvents: InboundLinkEvents;

  constructor(doors: MeshListeningDoors) {
    this.#doors = doors;
    const { onGreeting, onFrame, onBroken } = doors.strangers;
    this.#strangerEvents = {
      onGreeting: (link: InboundLink, greeting: Greeting) => {
        this.#strangers.delete(link);
        return onGreeting(link, greeting);
      },
      onFrame,
      onBroken: (link: InboundLink, fault: string | null) => {
        this.#strangers.delete(link);
        onBroken(link, fault);
      },
    };
  }

  /** Accepts sisters on a path; rejects with `LISTEN_FAILED`. */
  async listen(path: string): Promise<void> {
    // The name belongs to this run alone: a file that has it was left by a node that was killed.
    rmSync(path, { force: true });
    const server = createServer((socket) => {
      this.#accept(socket, new LocalServeGreeting(), this.#doors.sisters, LIMITS.linkFrameBytesMax);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new ArrokothError('LISTEN_FAILED', `${path}.`, { cause })));
      server.listen({ path }, resolve);
    });
  }

  /** Accepts workers of other nodes on a bound handle. */
  listenRemote(handle: ListenHandle): void {
    const server = createServer((socket) => this.#acceptStranger(socket));
    this.#servers.push(server);
    server.listen(handle);
  }

  /** Stops accepting; resolves when every accepted socket is gone too. */
  async close(): Promise<void> {
    const listening = this.#servers.filter((server) => server.listening);
    await Promise.all(listening.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #accept(
    socket: Socket,
    greeting: ServeGreeting,
    events: InboundLinkEvents,
    strangerBytesMax: number,
  ): InboundLink {
    const { timers, outboxBytesMax } = this.#doors;
    const link = new InboundLink(socket, { greeting, timers, events, outboxBytesMax, strangerBytesMax });
    this.#doors.accepted(link);
    return link;
  }

  #acceptStranger(socket: Socket): void {
    const { auth } = this.#doors;
    const cluster = this.#doors.cluster();
    const isProtected = auth?.isOn || isLoopback(socket.remoteAddress ?? '');
    const isTooMany = this.#strangers.size >= MESH_LIMITS.strangersMax;
    if (cluster === null || auth === null || !isProtected || isTooMany) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true).setKeepAlive(true, MESH_LIMITS.keepAliveMs);
    const greeting = new RemoteServeGreeting(auth, cluster);
    this.#strangers.add(this.#accept(socket, greeting, this.#strangerEvents, MESH_LIMITS.greetingBytesMax));
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
