/**
 * Carries client messages to the application, one at a time for each connection, in order.
 *
 * Messages of different connections travel at the same time. What a client sends while its last
 * message is being answered waits in its inbox; a full inbox stops reading from that client, and
 * nothing is lost for it.
 */
import { LIMITS, type Logger, type Meter } from '../../base/index.ts';
import type { LiveConfig } from '../../config/index.ts';
import type { CallbackRequest } from '../../relay/index.ts';
import { boundedCall } from '../bounded-call.ts';
import type { CallbackCaller } from '../logged-callbacks.ts';
import type { ClientMessage, Inbox } from './inbox.ts';
import type { Session } from './session.ts';
import type { Tracing } from './tracing.ts';

/** What receive callbacks are sent and reported with. */
export interface ReceiveCallbackDoors {
  readonly logger: Logger;
  readonly meter: Meter;
  readonly httpClient: CallbackCaller;
  readonly live: LiveConfig;
  readonly tracing: Tracing;
  /** What the request looks like; null when the application wants no messages. */
  readonly request: (session: Session, message: ClientMessage) => CallbackRequest | null;
}

const REPLY_BYTES_MAX = 64 * 1_024;

/** Sends the receive callbacks of one worker. */
export class ReceiveCallbacks {
  readonly #doors: ReceiveCallbackDoors;
  readonly #answers: { add(amount: number, labels: { result: string }): void };
  #stopped = false;

  constructor(doors: ReceiveCallbackDoors) {
    this.#doors = doors;
    this.#answers = doors.meter.counter({
      name: 'arrokoth_receive_callbacks_total',
      help: 'Client messages passed to the application, by its answer.',
      labels: ['result'],
    });
  }

  /** A client said something. Without a receive callback it is discarded, as in kuiperbelt. */
  message(session: Session, payload: Uint8Array, binary: boolean): void {
    if (this.#doors.live.current.callback.receive === null) return;
    if (session.inbox === null) {
      session.inbox = { messages: [], bytes: 0, paused: false, whenEmpty: null };
      return this.#send(session, session.inbox, { payload, binary });
    }
    const inbox = session.inbox;
    inbox.messages.push({ payload, binary });
    inbox.bytes += payload.byteLength;
    // A parser may still hand over what it had already read, so the inbox can exceed its bound by
    // one socket buffer's worth of messages, not more.
    if (!inbox.paused && this.#filled(inbox) >= 1) {
      inbox.paused = true;
      session.connection?.pauseReading();
    }
  }

  /** Sends nothing more; what was not sent is lost. */
  stop(): void {
    this.#stopped = true;
  }

  /** Calls `then` when everything the client had said is answered: its end is told after its words. */
  whenEmpty(session: Session, then: () => void): void {
    if (session.inbox === null) then();
    else session.inbox.whenEmpty = then;
  }

  #send(session: Session, inbox: Inbox, message: ClientMessage): void {
    if (this.#stopped) return;
    const { httpClient, live, logger, tracing } = this.#doors;
    const request = this.#doors.request(session, message);
    if (request === null) return this.#next(session, inbox);
    const timeoutMs = live.current.callback.timeoutMs || LIMITS.callbackTimeoutMaxMs;
    const call = boundedCall(request, { timeoutMs, replyBytesMax: REPLY_BYTES_MAX, redirectsMax: 0 });
    const { watch } = session;
    const askedAtMs = watch === null ? 0 : watch.nowMs;
    httpClient.call(call, (answer) => {
      watch?.step(session, 'receive answered', {
        status: answer.ok ? answer.value.status : answer.error.kind,
        ms: watch.since(askedAtMs),
      });
      const delivered = answer.ok && answer.value.status === 200;
      this.#answers.add(1, { result: delivered ? 'delivered' : 'failed' });
      if (!delivered) {
        const cause = answer.ok ? `status ${answer.value.status}` : answer.error.message;
        logger.error(
          { ...tracing.facts(session), cause },
          'the receive callback failed; the message is lost',
        );
      }
      this.#next(session, inbox);
    });
  }

  #next(session: Session, inbox: Inbox): void {
    const message = inbox.messages.shift();
    inbox.bytes -= message?.payload.byteLength ?? 0;
    if (inbox.paused && this.#filled(inbox) <= 0.5) {
      inbox.paused = false;
      if (!session.throttled) session.connection?.resumeReading();
    }
    if (message !== undefined) return this.#send(session, inbox, message);
    session.inbox = null;
    inbox.whenEmpty?.();
  }

  /** How full an inbox is, from 0 to 1: in messages, or in bytes where one message's worth is the bound. */
  #filled({ messages, bytes }: Inbox): number {
    const { receiveQueueMessagesMax, messageBytesMax } = this.#doors.live.current.limits;
    return Math.max(messages.length / receiveQueueMessagesMax, bytes / messageBytesMax);
  }
}
