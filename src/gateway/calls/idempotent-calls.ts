/**
 * Carries out each request that bears an `Idempotency-Key` at most once, whichever worker it meets.
 *
 * A key's home worker (hash of the key, modulo workers) keeps its record by the rule of
 * `relay/idempotency.ts`; this file asks it over the bus before anything is sent, and tells it the
 * answer afterwards. A home that cannot be asked means that nothing is sent. Requests without a key
 * never come here.
 */
import { createHash } from 'node:crypto';
import { type Clock, hash32, LIMITS, type Meter, type Seat, seatsOf, type Timers } from '../../base/index.ts';
import { type Bus, type BusAnswer, type Json, NO_BYTES, type Reply, type Sister } from '../../bus/index.ts';
import type { LiveConfig, Settings } from '../../config/index.ts';
import {
  type IdempotencyBounds,
  IdempotencyRecords,
  type KeptAnswer,
  type KeyedAttempt,
  type KeyedEnd,
  type KeyedRefusal,
  type KeyedVerdict,
  keyedRefusalAnswer,
  type OutgoingAnswer,
  replayedAnswer,
  type Targets,
} from '../../relay/index.ts';
import { askRepeatably } from '../node/sister-calls.ts';

/** What keys are kept with, here and at the sisters. */
export interface IdempotentCallDoors {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly meter: Meter;
  readonly workers: number;
  readonly live: LiveConfig;
}

/** A request that bears a key, read whole. */
export interface KeyedCall {
  readonly key: string;
  readonly call: string;
  readonly targets: Targets;
  readonly binary: boolean;
  readonly bytes: Uint8Array;
}

/** What is kept when the window is closed is looked at this often, until it is over. */
const SWEEP_MIN_MS = 1_000;

type Answer = (answer: OutgoingAnswer) => void;

/** One request on its way through this file. */
interface Attempt extends KeyedAttempt {
  /** Until when it waits for another attempt's answer. */
  readonly deadlineMs: number;
  readonly answer: Answer;
  /** Carries the request out; called at most once. */
  readonly carryOut: (done: Answer) => void;
}

type Facts = [key: string, fingerprint: string, attempt: string];
type FinishFacts = [...Facts, kept: { status: number; headers: readonly string[] } | null];
/** `type`, and status and headers of an answer whose body travels as bytes. */
type ToldVerdict = [type: KeyedVerdict['type'] | KeyedEnd['type'], status?: number, headers?: string[]];

/** The application's calls that may be repeated, of one worker. */
export class IdempotentCalls {
  readonly #doors: IdempotentCallDoors;
  readonly #records: IdempotencyRecords;
  readonly #seats: readonly Seat[];
  readonly #results: ReturnType<Meter['counter']>;
  #attempts = 0;
  #sweeping = false;

  constructor(doors: IdempotentCallDoors) {
    this.#doors = doors;
    const { bus, live, meter } = doors;
    this.#seats = seatsOf(bus.self.node, doors.workers);
    this.#records = new IdempotencyRecords(boundsOf(live.current));
    live.onChange((now) => this.#records.replace(boundsOf(now)));
    this.#results = meter.counter({
      name: 'arrokoth_idempotent_calls_total',
      help: 'Calls with an Idempotency-Key, by what became of them.',
      labels: ['result'],
    });
    const observed = (name: string, help: string, read: () => number): void =>
      meter.observed({ name: `arrokoth_idempotency_${name}`, help, type: 'gauge' }, read);
    observed('keys', 'Idempotency-Keys that are kept.', () => this.#records.size);
    observed('bytes', 'Bytes that kept Idempotency-Keys and their answers take.', () => this.#records.bytes);
    bus.handle('keyed_begin', (from, { facts }, reply) => this.#begin(from, facts as Facts, reply));
    bus.handle('keyed_wait', (_from, { facts }, reply) => {
      const [key] = facts as Facts;
      if (!this.#records.wait(key, (end) => tell(reply, end))) reply(['in_flight']);
    });
    bus.handle('keyed_finish', (_from, { facts, bytes }, reply) => {
      this.#finish(facts as unknown as FinishFacts, bytes);
      reply(null);
    });
    bus.handle('keyed_withdraw', (_from, { facts }) => {
      const [key, , attempt] = facts as Facts;
      this.#records.withdraw(key, attempt);
    });
  }

  /** Answers `call` once: by carrying it out, with the answer of its forerunner, or with a refusal. */
  serve(call: KeyedCall, answer: Answer, carryOut: (done: Answer) => void): void {
    const { self } = this.#doors.bus;
    this.#attempts++;
    this.#ask({
      key: call.key,
      fingerprint: fingerprintOf(call),
      attempt: `${self.slot}.${self.run}.${this.#attempts}`,
      deadlineMs: this.#doors.clock.monotonicMs() + LIMITS.idempotencyWaitMs,
      answer,
      carryOut,
    });
  }

  /** A worker has ended, and with it what it was carrying out. */
  dropRun(ended: Sister): void {
    this.#records.dropRun(ended, this.#doors.clock.monotonicMs());
  }

  #ask(attempt: Attempt): void {
    const message = { kind: 'keyed_begin', facts: factsOf(attempt), bytes: NO_BYTES };
    askRepeatably(this.#doors, this.#home(attempt.key), message, (told) => {
      if (told.ok) return this.#follow(attempt, told.value, 'replayed');
      // It may have taken us for the first before it fell silent.
      this.#doors.bus.tell(this.#home(attempt.key), { ...message, kind: 'keyed_withdraw' });
      this.#refuse(attempt, 'unreachable');
    });
  }

  #follow(attempt: Attempt, told: BusAnswer, replay: 'replayed' | 'waited'): void {
    const [type, status = 0, headers = []] = told.facts as unknown as ToldVerdict;
    switch (type) {
      case 'first':
        return this.#carryOut(attempt);
      case 'answered':
        this.#results.add(1, { result: replay });
        return attempt.answer(replayedAnswer({ status, headers, body: told.bytes }));
      case 'in_flight':
        return replay === 'waited' ? this.#refuse(attempt, type) : this.#wait(attempt);
      case 'withdrawn':
        return this.#ask(attempt);
      default:
        return this.#refuse(attempt, type);
    }
  }

  #wait(attempt: Attempt): void {
    const leftMs = attempt.deadlineMs - this.#doors.clock.monotonicMs();
    if (leftMs <= 0) return this.#refuse(attempt, 'in_flight');
    const message = { kind: 'keyed_wait', facts: factsOf(attempt), bytes: NO_BYTES };
    this.#doors.bus.ask(this.#home(attempt.key), message, leftMs, (told) => {
      if (told.ok) this.#follow(attempt, told.value, 'waited');
      else this.#refuse(attempt, told.error === 'timeout' ? 'in_flight' : 'unreachable');
    });
  }

  #carryOut(attempt: Attempt): void {
    this.#results.add(1, { result: 'first' });
    attempt.carryOut((answer) => {
      const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
      const kept = body.byteLength <= LIMITS.idempotencyAnswerBytesMax;
      const { status, headers } = answer;
      const facts: FinishFacts = [...factsOf(attempt), kept ? { status, headers } : null];
      const message = {
        kind: 'keyed_finish',
        facts: facts as unknown as Json,
        bytes: kept ? body : NO_BYTES,
      };
      askRepeatably(this.#doors, this.#home(attempt.key), message, () => {});
      attempt.answer(answer);
    });
  }

  #refuse(attempt: Attempt, refusal: KeyedRefusal): void {
    this.#results.add(1, { result: refusal });
    attempt.answer(keyedRefusalAnswer(refusal));
  }

  #begin(from: Sister, [key, fingerprint, attempt]: Facts, reply: Reply): void {
    const nowMs = this.#doors.clock.monotonicMs();
    tell(reply, this.#records.begin({ key, fingerprint, attempt }, from, nowMs));
    this.#sweepLater();
  }

  #finish([key, fingerprint, attempt, kept]: FinishFacts, body: Uint8Array): void {
    const answer: KeptAnswer | null = kept === null ? null : { ...kept, body };
    this.#records.finish({ key, fingerprint, attempt }, answer, this.#doors.clock.monotonicMs());
    this.#sweepLater();
  }

  /** One timer for all records, and none while there are none. */
  #sweepLater(): void {
    if (this.#sweeping || this.#records.size === 0) return;
    this.#sweeping = true;
    const { timers, clock, live } = this.#doors;
    timers.after(Math.max(SWEEP_MIN_MS, live.current.idempotency.windowMs), () => {
      this.#sweeping = false;
      this.#records.sweep(clock.monotonicMs());
      this.#sweepLater();
    });
  }

  #home(key: string): Seat {
    return this.#seats[hash32(key) % this.#doors.workers] as Seat;
  }
}

function boundsOf({ idempotency, sendTimeoutMs }: Settings): IdempotencyBounds {
  // Looking for the sessions, reaching them and publishing each have this bound.
  const inFlightMs = idempotency.windowMs + 3 * Math.max(sendTimeoutMs, LIMITS.sisterWaitMs);
  return { ...idempotency, inFlightMs };
}

function factsOf({ key, fingerprint, attempt }: KeyedAttempt): Facts {
  return [key, fingerprint, attempt];
}

function tell(reply: Reply, verdict: KeyedVerdict | KeyedEnd): void {
  if (verdict.type !== 'answered') return reply([verdict.type]);
  const { status, headers, body } = verdict.answer;
  reply([verdict.type, status, headers], body);
}

/** What makes two requests the same: the call, whom it is for, and every byte of the message. */
function fingerprintOf({ call, targets, binary, bytes }: KeyedCall): string {
  const { sessions, channels } = targets;
  // JSON says where it ends, so that nothing of the head can be taken for the message.
  const head = JSON.stringify([call, binary, sessions, channels]);
  return createHash('sha256').update(head).update(bytes).digest('base64');
}
