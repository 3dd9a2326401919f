/**
 * The calls of the application: `/send`, `/close`, `/subscribe`, `/unsubscribe`.
 *
 * Reads whom a request is for, has it carried out, and answers in kuiperbelt's words. What each
 * target is told is a rule of `relay/`; reaching it is the business of `KeyDelivery` and
 * `NodeChannels`.
 */
import { LIMITS, type SessionKey } from '../../base/index.ts';
import type { LiveConfig } from '../../config/index.ts';
import type { HttpRequest } from '../../net/index.ts';
import {
  bodyTooLargeAnswer,
  bodyUnreadableAnswer,
  type ChannelDelivery,
  isBinary,
  keyedRefusalAnswer,
  methodAnswer,
  type OutgoingAnswer,
  readIdempotencyKey,
  readTargets,
  sendAnswer,
  type TargetError,
  type TargetFailure,
  type Targets,
  targetsFailureAnswer,
} from '../../relay/index.ts';
import type { KeyAction, KeyDelivery, KeyOutcome } from '../node/key-delivery.ts';
import type { NodeChannels, Published } from '../node/node-channels.ts';
import type { IdempotentCalls } from './idempotent-calls.ts';

/** The calls that name targets. */
export type ApplicationCall = 'send' | 'close' | 'subscribe' | 'unsubscribe';

/** What the application's calls are carried out with. */
export interface ApplicationApiDoors {
  readonly live: LiveConfig;
  readonly keys: KeyDelivery;
  readonly channels: NodeChannels;
  readonly idempotent: IdempotentCalls;
}

const IDEMPOTENCY_KEY = 'idempotency-key';

type Answer = (answer: OutgoingAnswer) => void;

interface Message {
  readonly bytes: Uint8Array;
  readonly binary: boolean;
}

/** How each outcome of a key is told; `done` is not told at all. */
const FAILURES: Readonly<Record<Exclude<KeyOutcome, 'done'>, TargetFailure>> = {
  not_found: 'not_found',
  closed: 'closed',
  full: 'deadline',
  timeout: 'deadline',
  unreachable: 'unreachable',
  overloaded: 'overloaded',
  blocked: 'blocked',
  too_many_channels: 'too_many_channels',
};

/** Serves the application's calls of one worker. */
export class ApplicationApi {
  readonly #doors: ApplicationApiDoors;

  constructor(doors: ApplicationApiDoors) {
    this.#doors = doors;
  }

  /** Carries out one call and answers it exactly once. */
  serve(call: ApplicationCall, request: HttpRequest, answer: Answer): void {
    if (request.method !== 'POST') return answer(methodAnswer());
    const config = this.#doors.live.current;
    const lines = {
      sessions: request.headerLines(config.sessionHeader),
      channels: request.headerLines(config.channelHeader),
    };
    const targets = readTargets(lines, config.limits);
    if (!targets.ok) return answer(targetsFailureAnswer(targets.error));
    if (request.header(IDEMPOTENCY_KEY) !== undefined && config.idempotency.windowMs > 0) {
      return this.#serveOnce(call, targets.value, request, answer);
    }
    this.#probe(targets.value, (unknown) => {
      if (unknown.length > 0) return answer(this.#answer(unknown, [], 0));
      this.#read(request, answer, (message) => this.#carryOut(call, targets.value, message, answer));
    });
  }

  /** The whole request is read first: only all of it can tell a repetition from another request. */
  #serveOnce(call: ApplicationCall, targets: Targets, request: HttpRequest, answer: Answer): void {
    const key = readIdempotencyKey(request.headerLines(IDEMPOTENCY_KEY));
    if (!key.ok) return answer(keyedRefusalAnswer(key.error));
    this.#read(request, answer, (message) => {
      this.#doors.idempotent.serve({ key: key.value, call, targets, ...message }, answer, (done) => {
        this.#probe(targets, (unknown) => {
          if (unknown.length > 0) done(this.#answer(unknown, [], 0));
          else this.#carryOut(call, targets, message, done);
        });
      });
    });
  }

  #read(request: HttpRequest, answer: Answer, then: (message: Message) => void): void {
    request.body(this.#doors.live.current.limits.bodyBytesMax, (body) => {
      if (body.ok) then({ bytes: body.value, binary: isBinary(request.header('content-type')) });
      else answer(body.error === 'gone' ? bodyUnreadableAnswer() : bodyTooLargeAnswer());
    });
  }

  #carryOut(call: ApplicationCall, targets: Targets, message: Message, answer: Answer): void {
    if (call === 'send' || call === 'close') this.#deliver(call, targets, message, answer);
    else this.#changeChannels(call, targets, answer);
  }

  /** Under `strict_broadcast`: the sessions that are not there, before anybody is served. */
  #probe(targets: Targets, done: (unknown: TargetError[]) => void): void {
    if (!this.#doors.live.current.strictBroadcast || targets.sessions.length === 0) return done([]);
    const { sessions } = targets;
    this.#perform(sessions, { type: 'probe' }, new Uint8Array(0), (outcomes) => {
      done(failuresOf(sessions, outcomes));
    });
  }

  #deliver(call: 'send' | 'close', targets: Targets, message: Message, answer: Answer): void {
    const channels: ChannelDelivery[] = [];
    const channelErrors: TargetError[] = [];
    let outcomes: KeyOutcome[] = [];
    let outstanding = targets.channels.length + 1;
    const settle = (): void => {
      outstanding--;
      if (outstanding > 0) return;
      const failures = failuresOf(targets.sessions, outcomes);
      let delivered = outcomes.length - failures.length;
      for (const channel of channels) delivered += channel?.delivered ?? 0;
      answer(this.#answer(failures.concat(channelErrors), channels, delivered));
    };
    const { sessions } = targets;
    this.#perform(sessions, { type: call, binary: message.binary }, message.bytes, (performed) => {
      outcomes = performed;
      settle();
    });
    targets.channels.forEach((channel, position) => {
      this.#doors.channels.publish({ act: call, channel, ...message }, (published: Published) => {
        if (published.type === 'published') channels[position] = { channel, delivered: published.delivered };
        else
          channelErrors.push({
            channel,
            failure: published.type === 'isolated' ? 'isolated' : 'unreachable',
          });
        settle();
      });
    });
  }

  #changeChannels(call: 'subscribe' | 'unsubscribe', targets: Targets, answer: Answer): void {
    const { sessions, channels } = targets;
    // Without channels there is nothing to change, and without sessions nobody to change it for.
    if (sessions.length === 0) return answer(targetsFailureAnswer('missing'));
    if (channels.length === 0) return answer(targetsFailureAnswer('channel_missing'));
    this.#perform(sessions, { type: call, channels }, new Uint8Array(0), (outcomes) => {
      const served = outcomes.filter((outcome) => outcome === 'done').length;
      answer(this.#answer(failuresOf(sessions, outcomes), [], served));
    });
  }

  #perform(
    sessions: readonly SessionKey[],
    action: KeyAction,
    bytes: Uint8Array,
    done: (outcomes: KeyOutcome[]) => void,
  ): void {
    if (sessions.length === 0) return done([]);
    const timeoutMs = this.#doors.live.current.sendTimeoutMs || LIMITS.sisterWaitMs;
    this.#doors.keys.perform(sessions, action, bytes, timeoutMs, done);
  }

  #answer(errors: readonly TargetError[], channels: ChannelDelivery[], delivered: number): OutgoingAnswer {
    const { strictBroadcast: strict, compat } = this.#doors.live.current;
    // A channel whose owner did not answer left a hole in the list; it is among the errors.
    return sendAnswer({ errors, channels: channels.filter(Boolean), delivered, strict, compat });
  }
}

/** Unknown sessions first, in the order of the request, then the other failures. */
function failuresOf(sessions: readonly SessionKey[], outcomes: readonly KeyOutcome[]): TargetError[] {
  const unknown: TargetError[] = [];
  if (outcomes.every((outcome) => outcome === 'done')) return unknown;
  const failed: TargetError[] = [];
  outcomes.forEach((outcome, position) => {
    if (outcome === 'done') return;
    const session = sessions[position] as SessionKey;
    (outcome === 'not_found' ? unknown : failed).push({ session, failure: FAILURES[outcome] });
  });
  return unknown.concat(failed);
}
