/**
 * Calls of other nodes that are no part of the log: small questions, JSON in and JSON out.
 *
 * Signed and verified as the log's calls are. What a path means is its handler's affair; a path that
 * nobody serves is left to the log's server. Bounded in size, in number and by the caller's patience.
 */
import { NODE_CALL_LIMITS } from '../base/index.ts';
import type { HttpRequest, HttpResponse } from '../net/index.ts';
import { IncomingCall } from './incoming-call.ts';
import type { PeerAuth } from './peer-auth.ts';
import type { PeerFigures } from './peer-figures.ts';

/** Answers a call; `reply` is to be called once. What is answered survives JSON. */
export type NodeCallHandler = (question: unknown, reply: (answer: unknown) => void) => void;

/** The paths of one listener. */
export class NodeCallServer {
  readonly #doors: { readonly auth: PeerAuth; readonly figures: PeerFigures };
  readonly #handlers = new Map<string, NodeCallHandler>();
  #waiting = 0;

  constructor(doors: { readonly auth: PeerAuth; readonly figures: PeerFigures }) {
    this.#doors = doors;
  }

  /** Answers that path from now on. */
  serve(path: string, handler: NodeCallHandler): void {
    this.#handlers.set(path, handler);
  }

  /** False: the path is not served here. */
  take(request: HttpRequest, response: HttpResponse): boolean {
    const handler = request.method === 'POST' ? this.#handlers.get(request.path) : undefined;
    if (handler === undefined) return false;
    const { auth, figures } = this.#doors;
    const call = new IncomingCall(request, response, this.#doors);
    const { method, path, query } = request;
    const target = query === '' ? path : `${path}?${query}`;
    const head = auth.verify({ method, target, header: (name) => request.header(name) });
    if (typeof head === 'string') {
      figures.refused(head);
      call.unauthorized();
      return true;
    }
    call.nonce = head.nonce;
    request.body(NODE_CALL_LIMITS.bytesMax, (body) => {
      if (!body.ok) {
        if (body.error === 'too_large') call.empty(413);
      } else if (!auth.isBodyOf(head, body.value)) {
        figures.refused('body');
        call.nonce = '';
        call.unauthorized();
      } else this.#hand(call, handler, body.value);
    });
    return true;
  }

  #hand(call: IncomingCall, handler: NodeCallHandler, body: Uint8Array): void {
    if (this.#waiting >= NODE_CALL_LIMITS.waitingMax) return call.empty(503);
    const question = parse(body);
    if (question === undefined) return call.empty(400);
    this.#waiting++;
    let isAnswered = false;
    handler(question, (answer) => {
      if (isAnswered) return;
      isAnswered = true;
      this.#waiting--;
      call.json(200, JSON.stringify(answer));
    });
  }
}

/** Undefined: it is no JSON. */
function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}
