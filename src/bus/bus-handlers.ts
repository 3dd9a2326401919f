/**
 * Who handles which kind of message in this worker, and how it is answered.
 *
 * Knows neither links nor patience: whoever asks from elsewhere comes in through `serve`, and this
 * worker itself through `ask` and `tell`. Driven by `MeshBus`.
 */
import { assert } from '../base/index.ts';
import {
  type BusFailure,
  type BusHandler,
  type BusMessage,
  NO_BYTES,
  type Reply,
  type Sister,
} from './bus.ts';
import type { LinkFrame } from './frame-codec.ts';
import type { InboundLink } from './inbound-link.ts';

/** The handlers of one worker. */
export class BusHandlers {
  readonly #handlers = new Map<string, BusHandler>();

  /** Registers the one handler of a kind. */
  add(kind: string, handler: BusHandler): void {
    assert(!this.#handlers.has(kind), 'a kind of message has one handler');
    this.#handlers.set(kind, handler);
  }

  /** Has a message handled that nobody waits for. */
  tell(from: Sister, message: BusMessage): void {
    this.#handlers.get(message.kind)?.(from, message, () => {});
  }

  /** Has a question answered; false, and nothing is called, when nobody handles its kind. */
  ask(from: Sister, message: BusMessage, reply: Reply): boolean {
    const handler = this.#handlers.get(message.kind);
    handler?.(from, message, once(reply));
    return handler !== undefined;
  }

  /** Serves what came over a link; false when it is neither told nor asked. */
  serve(link: InboundLink, from: Sister, { type, id, kind, facts, bytes }: LinkFrame): boolean {
    const message: BusMessage = { kind, facts, bytes };
    if (type === 'tell') {
      this.tell(from, message);
      return true;
    }
    if (type !== 'ask') return false;
    const refuse = (failure: BusFailure) => {
      link.send({ type: 'refused', id, kind: '', facts: failure, bytes: NO_BYTES });
    };
    const reply: Reply = (answer, rest = NO_BYTES) => {
      const sent = link.send({ type: 'answer', id, kind: '', facts: answer, bytes: rest });
      // Too large, or too much waits: if this does not go out either, the asker's patience ends it.
      if (!sent) refuse('overloaded');
    };
    if (!this.ask(from, message, reply)) refuse('unreachable');
    return true;
  }
}

/** Makes the second answer to one question the bug that it is. */
function once(reply: Reply): Reply {
  let replied = false;
  return (facts, bytes) => {
    assert(!replied, 'a question is answered once');
    replied = true;
    reply(facts, bytes);
  };
}
