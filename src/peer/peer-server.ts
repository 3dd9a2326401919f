/**
 * Answers the calls of other nodes to the clusters of this process.
 *
 * Finds the cluster and the call as the original does, believes only what is signed where secrets
 * are set, and hands on what was read: messages to a replica, foreign calls and wishes to a driver.
 * Their answers come later, and each finds the call that waits for it. Nothing here blocks.
 */
import {
  assert,
  type Cancellable,
  type Clock,
  failed,
  type Logger,
  type Meter,
  ok,
  PEER_LIMITS,
  type Result,
  type Timers,
} from '../base/index.ts';
import type { Answer, MemberName, Message, Sender } from '../consensus/index.ts';
import type { HttpRequest, HttpResponse } from '../net/index.ts';
import { LineBudget } from '../relay/index.ts';
import { answerJson, type Method } from './dialects.ts';
import type { Fields } from './field-checks.ts';
import { readCall } from './foreign-codec.ts';
import { IncomingCall } from './incoming-call.ts';
import { isBulky } from './json-bulk.ts';
import { parseSafe, readRequest, writeAnswer } from './message-codec.ts';
import type { GenuineHead, PeerAuth } from './peer-auth.ts';
import { PeerFigures } from './peer-figures.ts';
import type { MasterOutcome, PeerEvents } from './peer-types.ts';
import { PendingCalls } from './pending-calls.ts';
import { PROTO_HEADER } from './protocol-versions.ts';
import { isClusterName, routeOf } from './routes.ts';
import { isWish, readWish, writeOutcome } from './wish-codec.ts';

const SWEEP_MS = 250;

/** One cluster of this process, as its calls find it. */
export interface ServedCluster {
  readonly cluster: string;
  readonly self: MemberName;
  readonly events: Pick<PeerEvents, 'receive' | 'foreign' | 'asked'>;
  /** What answers say about this node. */
  sender(): Sender;
}

/** What a server is made of. */
export interface PeerServerOptions {
  readonly auth: PeerAuth;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** The calls of one listener. */
export class PeerServer {
  readonly auth: PeerAuth;
  readonly figures: PeerFigures;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #clusters = new Map<string, ServedCluster>();
  readonly #messages: PendingCalls;
  readonly #wishes: PendingCalls;
  readonly #sweep: Cancellable;
  readonly #lines = new LineBudget(PEER_LIMITS.refusalLinesPerSecond);
  #bodiesBytes = 0;
  #wishCount = 0;

  constructor(options: PeerServerOptions) {
    const { auth, clock, timers, logger, meter } = options;
    const { messageTimeoutMs, wishTimeoutMs, pendingMax: max } = PEER_LIMITS;
    this.auth = auth;
    this.#clock = clock;
    this.#logger = logger;
    this.#messages = new PendingCalls(clock, { timeoutMs: messageTimeoutMs, max });
    this.#wishes = new PendingCalls(clock, { timeoutMs: wishTimeoutMs, max });
    this.figures = new PeerFigures(meter, () => this.#messages.size + this.#wishes.size);
    this.#sweep = timers.every(SWEEP_MS, () => {
      this.#messages.sweep();
      this.#wishes.sweep();
    });
  }

  /** Serves a cluster from now on. A name is served once; what is returned ends it. */
  register(served: ServedCluster): Result<() => void, string> {
    const { cluster } = served;
    if (!isClusterName(cluster))
      return failed(`The cluster name ${JSON.stringify(cluster)} is not fit for a path.`);
    if (this.#clusters.has(cluster))
      return failed(`ERR_STATE: The cluster ${cluster} is served here already.`);
    this.#clusters.set(cluster, served);
    return ok(() => {
      if (this.#clusters.get(cluster) !== served) return;
      this.#clusters.delete(cluster);
      this.#messages.abandon(`${cluster}\n`);
      this.#wishes.abandon(`${cluster}\n`);
    });
  }

  /** Answers the call that carried the question of this answer, if it still waits. */
  answer(cluster: string, to: MemberName, message: Answer): void {
    this.#messages.take(messageKey(cluster, to, message))?.json(200, writeAnswer(message));
  }

  /** Takes a request of any path. */
  readonly handle = (request: HttpRequest, response: HttpResponse): void => {
    const call = new IncomingCall(request, response, this);
    const { method, path, query } = request;
    const target = query === '' ? path : `${path}?${query}`;
    const head = this.auth.verify({ method, target, header: (name) => request.header(name) });
    if (typeof head === 'string') return this.#refuse(call, head);
    call.nonce = head.nonce;
    const route = routeOf(request, this.#clusters.keys());
    switch (route.type) {
      case 'moved':
        return call.moved(route.location);
      case 'unknown_cluster':
        return call.notFound();
      case 'bad_request':
        return call.empty(400);
      case 'call': {
        const served = this.#clusters.get(route.cluster);
        assert(served !== undefined, 'a route leads to a cluster that is served');
        call.method = route.method;
        this.#readBody(call, head, (body) => this.#dispatch(call, served, route.method, body));
      }
    }
  };

  /** Answers all that wait, and serves no cluster any more. */
  close(): void {
    this.#sweep.cancel();
    this.#clusters.clear();
    this.#messages.abandon('');
    this.#wishes.abandon('');
  }

  #readBody(call: IncomingCall, head: GenuineHead, proceed: (body: Uint8Array) => void): void {
    const { bodyBytesMax, bodiesBytesMax } = PEER_LIMITS;
    const announced = Number(call.request.header('content-length') ?? bodyBytesMax);
    const bytes = Math.min(announced, bodyBytesMax);
    if (!(this.#bodiesBytes + bytes <= bodiesBytesMax))
      return call.error(503, 'ERR_IO', 'Too much is being read');
    this.#bodiesBytes += bytes;
    call.request.body(bodyBytesMax, (body) => {
      this.#bodiesBytes -= bytes;
      if (!body.ok) {
        if (body.error === 'too_large') call.error(413, 'ERR_IO', "Couldn't read request");
      } else if (!this.auth.isBodyOf(head, body.value)) {
        this.#refuse(call, 'body');
      } else if (body.value.length === 0) {
        call.error(500, 'ERR_IO', "Couldn't read request");
      } else {
        proceed(body.value);
      }
    });
  }

  #dispatch(call: IncomingCall, served: ServedCluster, method: Method, body: Uint8Array): void {
    if (isBulky(body)) return call.error(413, 'ERR_IO', "Couldn't read request");
    // A peer that says beforehand how it speaks is read without Go's peculiarities, which cost time.
    const announced = call.request.header(PROTO_HEADER) !== undefined ? parseSafe(body) : null;
    if (announced !== null) return this.#takeSafe(call, served, method, announced);
    const read = readCall(method, body);
    if (!read.ok) return call.error(500, 'ERR_ENCODING', `Couldn't decode body ${read.error}`);
    const fields = read.value.isSafe ? parseSafe(body) : null;
    if (fields !== null) return this.#takeSafe(call, served, method, fields);
    const { dialect } = read.value;
    const key = this.#wait(call, served);
    if (key === null) return;
    served.events.foreign(read.value.call, (answer) => {
      this.#wishes.take(key)?.json(answer.status, answerJson(method, dialect, answer));
    });
  }

  #takeSafe(call: IncomingCall, served: ServedCluster, method: Method, fields: Fields): void {
    if (isWish(fields)) return this.#takeWish(call, served, method, fields);
    const read = readRequest(method, fields);
    if (!read.ok) return this.#unfit(call, read.error);
    const { from, to, message } = read.value;
    if (to !== served.self) return this.#misdirected(call, served, to);
    if (!this.#messages.add(messageKey(served.cluster, from, message), call)) return this.#full(call);
    served.events.receive(from, message);
  }

  #takeWish(call: IncomingCall, served: ServedCluster, method: Method, fields: Fields): void {
    const read = readWish(method, fields);
    if (!read.ok) return this.#unfit(call, read.error);
    const { to, sender, request } = read.value;
    if (to !== served.self) return this.#misdirected(call, served, to);
    const answer = (outcome: MasterOutcome): string => writeOutcome(served.sender(), outcome);
    const { incarnation } = served.sender();
    if (incarnation !== null && sender.incarnation !== null && incarnation !== sender.incarnation) {
      const detail = 'The asker belongs to another incarnation of the cluster.';
      return call.json(200, answer({ type: 'refused', retry: false, master: null, detail }));
    }
    const key = this.#wait(call, served);
    if (key === null) return;
    served.events.asked(request, (outcome) => this.#wishes.take(key)?.json(200, answer(outcome)));
  }

  /** Lets a call wait for its driver; null: too many do. */
  #wait(call: IncomingCall, served: ServedCluster): string | null {
    const key = `${served.cluster}\n${++this.#wishCount}`;
    if (this.#wishes.add(key, call)) return key;
    this.#full(call);
    return null;
  }

  #full(call: IncomingCall): void {
    call.error(503, 'ERR_CALL', 'Too many calls wait');
  }

  #unfit(call: IncomingCall, detail: string): void {
    this.#note(call, { detail }, 'a call of another node cannot be understood');
    call.error(400, 'ERR_ENCODING', detail);
  }

  #misdirected(call: IncomingCall, served: ServedCluster, to: MemberName): void {
    this.#note(call, { meant: to, here: served.self }, 'a call was meant for another node');
    call.error(421, 'ERR_CALL', 'The call is meant for another member');
  }

  #refuse(call: IncomingCall, reason: Parameters<PeerFigures['refused']>[0]): void {
    this.figures.refused(reason);
    this.#note(call, { reason }, 'a call to the cluster port was refused');
    call.nonce = '';
    call.unauthorized();
  }

  #note(call: IncomingCall, fields: object, message: string): void {
    const omitted = this.#lines.take(this.#clock.monotonicMs());
    if (omitted === null) return;
    const peer = call.request.remoteAddress;
    this.#logger.warn({ peer, ...fields, ...(omitted > 0 ? { omitted } : {}) }, message);
  }
}

/** A question and its answer bear the same number, and the asker is whom the answer goes to. */
function messageKey(cluster: string, asker: MemberName, message: Message): string {
  return `${cluster}\n${asker}\n${message.call}`;
}
