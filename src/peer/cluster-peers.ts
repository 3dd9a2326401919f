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
  PeerTransport,
} from './peer-types.ts';

/** What the network of a node is made of. */
export interface ClusterPeersOptions {
  readonly cluster: string;
  /** The address of this node, exactly as other members know it. */
  readonly self: MemberName;
  /** Of the listener at that address. */
  readonly server: PeerServer;
  readonly events: PeerEvents;
  /** What wishes and their answers say about this node; messages bring it along. */
  readonly sender: () => Sender;
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
  readonly #sender: () => Sender;
  readonly #unregister: () => void;
  #closed = false;

  private constructor(options: ClusterPeersOptions, unregister: () => void) {
    const { cluster, server, events, sender } = options;
    this.#cluster = cluster;
    this.#server = server;
    this.#events = events;
    this.#sender = sender;
    this.#unregister = unregister;
    this.#client = new PeerClient({ ...options, auth: server.auth, figures: server.figures });
  }

  /** Begins to serve. The failure says why not: the name is served here already, or fits no path. */
  static open(options: ClusterPeersOptions): Result<ClusterPeers, string> {
    const registered = options.server.register(options);
    return registered.ok ? ok(new ClusterPeers(options, registered.value)) : failed(registered.error);
  }

  /** See `PeerTransport`. */
  send(to: MemberName, message: Message): void {
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
    this.#client.wish(to, { sender: this.#sender(), request }, (outcome) => {
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
    this.#unregister();
    this.#client.close();
  }
}
