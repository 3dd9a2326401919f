/**
 * Makes this node's calls to other members, in the safe protocol or the original one.
 *
 * Messages and wishes have connections of their own, because a wish waits for a commit and a
 * heartbeat must not wait behind it. Nothing is repeated: a lost message is the replica's business,
 * a lost wish its asker's.
 */
import { type Clock, failed, type Logger, ok, PEER_LIMITS, type Result, type Timers } from '../base/index.ts';
import type { Answer, MemberName, Request, Sender } from '../consensus/index.ts';
import { type HttpAnswer, LeanClient, type LeanClientOptions } from '../net/index.ts';
import { LineBudget } from '../relay/index.ts';
import type { Method } from './dialects.ts';
import type { Fields } from './field-checks.ts';
import { readAnswer as readForeignAnswer, writeCall } from './foreign-codec.ts';
import { foreignDeadlineMs } from './foreign-deadline.ts';
import { parseSafe, readAnswer, writeRequest } from './message-codec.ts';
import { type CallNumbers, type PeerAuth, SIGNATURE } from './peer-auth.ts';
import type { CallOutcome, PeerFigures } from './peer-figures.ts';
import type { ForeignCall, ForeignOutcome, MasterOutcome, MasterRequest } from './peer-types.ts';
import { PROTO_HEADER, protoHeader } from './protocol-versions.ts';
import { CLUSTERS_ROOT } from './routes.ts';
import { readOutcome, WISH_METHOD, writeWish } from './wish-codec.ts';

/** What a client is made of. */
export interface PeerClientOptions {
  readonly cluster: string;
  readonly self: MemberName;
  readonly auth: PeerAuth;
  readonly figures: PeerFigures;
  /** How TLS is spoken to members whose address begins with `https:`. */
  readonly tls?: LeanClientOptions['tls'];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Why there is no answer. `foreign`: there is one, without the safe protocol. */
export type CallFailure = { readonly type: 'failed'; readonly detail: string } | { readonly type: 'foreign' };

interface Member {
  /** Before the path of a call. */
  readonly path: string;
  readonly numbers: CallNumbers;
  readonly messages: LeanClient;
  readonly wishes: LeanClient;
}

interface PeerCall {
  readonly to: MemberName;
  readonly method: Method;
  readonly body: string;
  readonly lane: 'messages' | 'wishes';
  readonly timeoutMs: number;
}

const HEADERS = ['Content-Type', 'application/json'];
const SAFE_HEADERS = [...HEADERS, PROTO_HEADER, protoHeader()];

/** The calls of one node of one cluster. */
export class PeerClient {
  readonly #options: PeerClientOptions;
  /** In the order in which they were first spoken to. */
  readonly #members = new Map<MemberName, Member | null>();
  readonly #lines = new LineBudget(PEER_LIMITS.refusalLinesPerSecond);

  constructor(options: PeerClientOptions) {
    this.#options = options;
  }

  /** Asks a replica. `done` is called once, in a turn of its own. */
  request(to: MemberName, message: Request, done: (outcome: Result<Answer, CallFailure>) => void): void {
    const { cluster, self: from } = this.#options;
    const { method, body } = writeRequest({ cluster, from, to }, message);
    const call = { to, method, body, lane: 'messages', timeoutMs: PEER_LIMITS.messageTimeoutMs } as const;
    this.#callSafe(call, done, (fields) => {
      const read = readAnswer(message.type, fields);
      return !read.ok || read.value.call === message.call
        ? read
        : failed('Nonce is not that of the question');
    });
  }

  /** Asks a member for what only a master does. `done` is called once, in a turn of its own. */
  wish(
    to: MemberName,
    wish: { readonly sender: Sender; readonly request: MasterRequest },
    done: (outcome: Result<MasterOutcome, CallFailure>) => void,
  ): void {
    const method = WISH_METHOD[wish.request.type];
    const body = writeWish({ from: this.#options.self, to }, wish.sender, wish.request);
    const call = { to, method, body, lane: 'wishes', timeoutMs: PEER_LIMITS.wishTimeoutMs } as const;
    this.#callSafe(call, done, readOutcome);
  }

  /** Makes a call of the original. `done` is called once, in a turn of its own. */
  foreign(to: MemberName, call: ForeignCall, done: (outcome: ForeignOutcome) => void): void {
    const { method } = call;
    const { figures } = this.#options;
    const sent = { to, method, body: writeCall(call), lane: 'wishes' } as const;
    this.#send({ ...sent, timeoutMs: foreignDeadlineMs(call) }, HEADERS, (outcome) => {
      if (!outcome.ok) return done({ type: 'failed', detail: outcome.error });
      const { status, body } = outcome.value.answer;
      if (status !== 200) {
        figures.called(method, 'refused');
        return done({ type: 'answered', answer: { status, accepted: false, error: null } });
      }
      const read = readForeignAnswer(method, body);
      figures.called(method, read.ok ? 'answered' : 'misfit');
      if (!read.ok) return done({ type: 'failed', detail: read.error });
      const { accepted, error } = read.value;
      done({ type: 'answered', answer: { status, accepted, error } });
    });
  }

  /** Gives up all calls and all connections. */
  close(): void {
    const members = [...this.#members.values()];
    this.#members.clear();
    for (const member of members) closeMember(member);
  }

  #callSafe<Value>(
    call: PeerCall,
    done: (outcome: Result<Value, CallFailure>) => void,
    read: (fields: Fields) => Result<Value, string>,
  ): void {
    const { figures, auth } = this.#options;
    const { method, to } = call;
    const fail = (outcome: CallOutcome, detail: string): void => {
      figures.called(method, outcome);
      this.#note(to, detail);
      done(failed({ type: 'failed', detail }));
    };
    this.#send(call, SAFE_HEADERS, (outcome) => {
      if (!outcome.ok) return done(failed({ type: 'failed', detail: outcome.error }));
      const { answer, nonce } = outcome.value;
      const { status, body } = answer;
      if (status !== 200) return fail('refused', `it answered with status ${status}`);
      // Without a signature nobody knows who answered, not even that it speaks the original protocol.
      if (!auth.isGenuineAnswer(nonce, status, body, answer.header(SIGNATURE))) {
        return fail('misfit', 'its answer is not signed with a secret that is known here');
      }
      const fields = parseSafe(body);
      if (fields === null) {
        figures.called(method, 'misfit');
        return done(failed({ type: 'foreign' }));
      }
      const value = read(fields);
      if (!value.ok) return fail('misfit', value.error);
      figures.called(method, 'answered');
      done(value);
    });
  }

  #send(
    call: PeerCall,
    headers: readonly string[],
    done: (outcome: Result<{ answer: HttpAnswer; nonce: string }, string>) => void,
  ): void {
    const { method, timeoutMs } = call;
    const member = this.#memberOf(call.to);
    if (member === null) {
      queueMicrotask(() => done(failed('its address is no URL')));
      return;
    }
    const path = `${member.path}${method}`;
    const { body } = call;
    let nonce = '';
    const sign = (): string[] => {
      const signed = this.#options.auth.sign({ method: 'POST', target: path, body }, member.numbers);
      nonce = signed.nonce;
      return signed.headers;
    };
    const { answerBytesMax } = PEER_LIMITS;
    const made = { method: 'POST', path, headers, sign, body, timeoutMs, answerBytesMax };
    member[call.lane].call(made, (outcome) => {
      if (outcome.ok) return done(ok({ answer: outcome.value, nonce }));
      this.#options.figures.called(method, 'failed');
      done(failed(outcome.error.message));
    });
  }

  /** Null: the name is no address. */
  #memberOf(name: MemberName): Member | null {
    let member = this.#members.get(name);
    if (member !== undefined) return member;
    if (this.#members.size >= PEER_LIMITS.clientsMax) this.#forgetOldest();
    member = this.#connect(name);
    this.#members.set(name, member);
    return member;
  }

  #connect(name: MemberName): Member | null {
    const { cluster, clock, timers, tls } = this.#options;
    const url = addressOf(name);
    if (url === null) return null;
    const { idleConnectionMs: idleMs, dialTimeoutMs } = PEER_LIMITS;
    const shared = { url, idleMs, dialTimeoutMs, clock, timers, tls: tls ?? null };
    const { connectionsMax, waitingMax, wishConnectionsMax, wishesWaitingMax } = PEER_LIMITS;
    return {
      numbers: this.#options.auth.startNumbers(),
      path: `${url.pathname.replace(/\/$/, '')}${CLUSTERS_ROOT}${cluster}/`,
      messages: new LeanClient({ ...shared, connectionsMax, waitingMax }),
      wishes: new LeanClient({
        ...{ ...shared, connectionsMax: wishConnectionsMax, waitingMax: wishesWaitingMax },
      }),
    };
  }

  #forgetOldest(): void {
    const [oldest] = this.#members;
    if (oldest === undefined) return;
    this.#members.delete(oldest[0]);
    closeMember(oldest[1]);
  }

  #note(to: MemberName, detail: string): void {
    const omitted = this.#lines.take(this.#options.clock.monotonicMs());
    if (omitted === null) return;
    const fields = { member: to, detail, ...(omitted > 0 ? { omitted } : {}) };
    this.#options.logger.warn(fields, 'a member did not answer as it should');
  }
}

function closeMember(member: Member | null): void {
  member?.messages.close();
  member?.wishes.close();
}

/** An address of a member: a URL without query, which may have a path. */
function addressOf(name: MemberName): URL | null {
  const url = URL.canParse(name) ? new URL(name) : null;
  const isAddress = url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
  return isAddress && url.username === '' && url.password === '' ? url : null;
}
