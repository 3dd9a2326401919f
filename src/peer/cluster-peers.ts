/**
 * The network of one node in one cluster: the door `PeerTransport`, made of a server and a client.
 *
 * A question goes out as a call and its answer comes back as a message; an answer goes to the call
 * that waits for it. Nobody is called from inside a call of his own.
 */
import { type Clock, failed, type Logger, ok, type Result, type Timers } from '../base/index.ts';
import type { MemberName, Message, Sender } from '../consensus/index.ts';
import type { LeanClientOptions } from '../net/index.ts';
import { isAnswer } from './message-codec.ts';
import { PeerClient } from './peer-client.ts';
import type { PeerServer } from './peer-server.ts';
import type {
  ForeignCall,
  ForeignOutcome,
  MasterOutcome,
  MasterRequest,
  PeerEvents,
  PeerIdentity,
  PeerTransport,
} from './peer-types.ts';

/** What the network of a node is made of. */
export interface ClusterPeersOptions {
  readonly identity: PeerIdentity;
  /** Of the listener at the address of the identity. */
  readonly server: PeerServer;
  readonly events: PeerEvents;
  /** How TLS is spoken to members whose address begins with `https:`. */
  readonly tls?: LeanClientOptions['tls'];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Sends and receives for one node of one cluster. */
export class ClusterPeers implements PeerTransport {
  readonly #cluster: string;
  readonly #server: PeerServer;
  readonly #client: PeerClient;
  readonly #events: PeerEvents;
  /** As the replica's latest message put it: what wishes and their answers say about this node. */
  #sender: Sender;
  readonly #registered: Result<() => void, string>;
  #closed = false;

  private constructor(options: ClusterPeersOptions) {
    const { identity, server, events } = options;
    const { cluster, name: self, knows } = identity;
    this.#cluster = cluster;
    this.#server = server;
    this.#events = events;
    this.#sender = { incarnation: null, storage: '', run: 0, knows, muted: false };
    this.#client = new PeerClient({ ...options, cluster, self, auth: server.auth, figures: server.figures });
    this.#registered = server.register({ cluster, self, events, sender: () => this.#sender });
  }

  /** Begins to serve. The failure says why not: the name is served here already, or fits no path. */
  static open(options: ClusterPeersOptions): Result<ClusterPeers, string> {
    const peers = new ClusterPeers(options);
    return peers.#registered.ok ? ok(peers) : failed(peers.#registered.error);
  }

  /** See `PeerTransport`. */
  send(to: MemberName, message: Message): void {
    this.#sender = message.sender;
    if (isAnswer(message)) {
      this.#server.answer(this.#cluster, to, message);
      return;
    }
    this.#client.request(to, message, (outcome) => {
      if (this.#closed) return;
      if (outcome.ok) this.#events.receive(to, outcome.value);
      else if (outcome.error.type === 'foreign') this.#events.spokeForeign(to);
    });
  }

  /** See `PeerTransport`. */
  callForeign(to: MemberName, call: ForeignCall, done: (answer: ForeignOutcome) => void): void {
    this.#client.foreign(to, call, done);
  }

  /** See `PeerTransport`. */
  ask(to: MemberName, request: MasterRequest, done: (outcome: MasterOutcome) => void): void {
    this.#client.wish(to, { sender: this.#sender, request }, (outcome) => {
      if (outcome.ok) return done(outcome.value);
      // Whether it was done is unknown; the same request id finds out.
      const detail =
        outcome.error.type === 'foreign' ? `${to} speaks the original protocol.` : outcome.error.detail;
      done({ type: 'refused', retry: true, master: null, detail });
    });
  }

  /** Serves no longer, and gives up all calls of its own. */
  close(): void {
    this.#closed = true;
    if (this.#registered.ok) this.#registered.value();
    this.#client.close();
  }
}
