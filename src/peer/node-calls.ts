/**
 * Makes calls to other nodes that are no part of the log: the counterpart of `node-call-server.ts`.
 *
 * One small client for each address, because a node that does not answer must not delay the others.
 * Nothing is repeated; an answer without a genuine signature is none.
 */
import {
  type Clock,
  failed,
  NODE_CALL_LIMITS,
  ok,
  PEER_LIMITS,
  type Result,
  type Timers,
} from '../base/index.ts';
import { LeanClient, type LeanClientOptions } from '../net/index.ts';
import { type CallNumbers, type PeerAuth, SIGNATURE } from './peer-auth.ts';

/** What a client is made of. */
export interface NodeCallsOptions {
  readonly auth: PeerAuth;
  readonly tls: LeanClientOptions['tls'];
  readonly clock: Clock;
  readonly timers: Timers;
}

/** One call: to whom, on which path, with what. */
export interface NodeCall {
  /** The URL of the node, without a path. */
  readonly to: string;
  readonly path: string;
  /** Survives JSON. */
  readonly question: unknown;
  readonly timeoutMs?: number;
}

interface Callee {
  readonly client: LeanClient;
  readonly numbers: CallNumbers;
}

const HEADERS = ['Content-Type', 'application/json'];

/** The calls of one node. */
export class NodeCalls {
  readonly #options: NodeCallsOptions;
  readonly #callees = new Map<string, Callee>();

  constructor(options: NodeCallsOptions) {
    this.#options = options;
  }

  /** The answer, or a sentence that says why there is none. Never rejects. */
  call({
    to,
    path,
    question,
    timeoutMs = NODE_CALL_LIMITS.timeoutMs,
  }: NodeCall): Promise<Result<unknown, string>> {
    const callee = this.#calleeOf(to);
    if (callee === null) return Promise.resolve(failed('its address is no URL'));
    const { auth } = this.#options;
    const body = Buffer.from(JSON.stringify(question));
    let nonce = '';
    const sign = (): string[] => {
      const signed = auth.sign({ method: 'POST', target: path, body }, callee.numbers);
      nonce = signed.nonce;
      return signed.headers;
    };
    const bounds = { timeoutMs, answerBytesMax: NODE_CALL_LIMITS.bytesMax };
    return new Promise((resolve) => {
      callee.client.call({ method: 'POST', path, headers: HEADERS, sign, body, ...bounds }, (outcome) => {
        if (!outcome.ok) return resolve(failed(outcome.error.message));
        const answer = outcome.value;
        if (answer.status !== 200) return resolve(failed(`it answered with status ${answer.status}`));
        if (!auth.isGenuineAnswer(nonce, 200, answer.body, answer.header(SIGNATURE))) {
          return resolve(failed('its answer is not signed with a secret that is known here'));
        }
        resolve(parse(answer.body));
      });
    });
  }

  /** Gives up all calls. */
  close(): void {
    for (const { client } of this.#callees.values()) client.close();
    this.#callees.clear();
  }

  #calleeOf(to: string): Callee | null {
    const known = this.#callees.get(to);
    if (known !== undefined) return known;
    if (!URL.canParse(to)) return null;
    const [oldest] = this.#callees;
    if (oldest !== undefined && this.#callees.size >= PEER_LIMITS.clientsMax) {
      this.#callees.delete(oldest[0]);
      oldest[1].client.close();
    }
    const { auth, tls, clock, timers } = this.#options;
    const { idleConnectionMs: idleMs, dialTimeoutMs } = PEER_LIMITS;
    const { connectionsMax, waitingToOneMax: waitingMax } = NODE_CALL_LIMITS;
    const shared = { url: new URL(to), idleMs, dialTimeoutMs, clock, timers, tls: tls ?? null };
    const client = new LeanClient({ ...shared, connectionsMax, waitingMax });
    const callee = { client, numbers: auth.startNumbers() };
    this.#callees.set(to, callee);
    return callee;
  }
}

function parse(body: Uint8Array): Result<unknown, string> {
  try {
    return ok(JSON.parse(Buffer.from(body).toString('utf8')));
  } catch {
    return failed('its answer is no JSON');
  }
}
