/**
 * `Idempotency-Key`: which requests were carried out already, and what they were answered.
 *
 * The rule alone, for the keys of one home worker: bounded in number, bytes and time, without
 * clocks and sockets. The gateway carries questions here and answers back. At every doubt it
 * chooses not to send a second time: a key that cannot be kept is refused, not forgotten.
 */
import { failed, ok, type Result } from '../../base/index.ts';
import { goJsonString } from '../go-json.ts';
import { jsonAnswer, type OutgoingAnswer } from '../outgoing-answer.ts';

/** The bounds of one worker's records. */
export interface IdempotencyBounds {
  /** How long an answer is repeated. */
  readonly windowMs: number;
  /** How long a request can be under way; later its outcome is unknown. */
  readonly inFlightMs: number;
  readonly keysMax: number;
  readonly bytesMax: number;
}

/** An answer as it is kept. */
export type KeptAnswer = Omit<OutgoingAnswer, 'body'> & { readonly body: Uint8Array };

/** One request that bears a key. */
export interface KeyedAttempt {
  readonly key: string;
  /** What the request says, so that another one under the same key is noticed. */
  readonly fingerprint: string;
  /** This attempt and no other, repetitions of a question excepted. */
  readonly attempt: string;
}

/** What ends the wait for another attempt; `withdrawn`: it was not carried out after all. */
export type KeyedEnd =
  | { readonly type: 'answered'; readonly answer: KeptAnswer }
  | { readonly type: 'unknown' | 'withdrawn' };

/** What is to happen to an attempt: it is the first, or somebody else was. */
export type KeyedVerdict =
  | { readonly type: 'answered'; readonly answer: KeptAnswer }
  | { readonly type: 'first' | 'in_flight' | 'reused' | 'unknown' | 'full' };

/** Why a request that bears a key is not carried out. */
export type KeyedRefusal = 'invalid' | 'reused' | 'in_flight' | 'unknown' | 'full' | 'unreachable';

interface RunOfWorker {
  readonly slot: number;
  readonly run: number;
}

interface InFlight {
  readonly fingerprint: string;
  readonly attempt: string;
  readonly holder: RunOfWorker;
  readonly expiresAtMs: number;
  waiters: ((end: KeyedEnd) => void)[];
}

interface Settled {
  readonly fingerprint: string;
  readonly attempt: string;
  /** Null: the outcome is not known, or the answer was too large to keep. */
  readonly answer: KeptAnswer | null;
  readonly bytes: number;
  readonly expiresAtMs: number;
}

const KEY = /^[\x20-\x7e]{1,255}$/;
/** What a record takes beside its key and its answer, generously, so that short answers fit in. */
const RECORD_BYTES = 512;
/** Repetitions that wait for one answer; a caller that asks more often is told to come later. */
const WAITERS_MAX = 16;

/** The key of a request's `Idempotency-Key` lines; quotes around it, as in the draft, are no part of it. */
export function readIdempotencyKey(lines: readonly string[]): Result<string, 'invalid'> {
  const [line, ...others] = lines;
  if (line === undefined || others.length > 0) return failed('invalid');
  const key = /^"(.*)"$/.exec(line)?.[1] ?? line;
  return KEY.test(key) ? ok(key) : failed('invalid');
}

/** The records of the keys whose home is one worker. */
export class IdempotencyRecords {
  #bounds: IdempotencyBounds;
  /**
   * Both in the order in which they expire. After a reload that shortened the window, what is new
   * may expire before what is old, and is then forgotten with that.
   */
  readonly #inFlight = new Map<string, InFlight>();
  readonly #settled = new Map<string, Settled>();
  #bytes = 0;

  constructor(bounds: IdempotencyBounds) {
    this.#bounds = bounds;
  }

  /** From now on these bounds count; what is kept already keeps its time. */
  replace(bounds: IdempotencyBounds): void {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#inFlight.size + this.#settled.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** An attempt asks whether it is the first. */
  begin({ key, fingerprint, attempt }: KeyedAttempt, holder: RunOfWorker, nowMs: number): KeyedVerdict {
    this.sweep(nowMs);
    const known = this.#inFlight.get(key) ?? this.#settled.get(key);
    if (known === undefined) {
      if (this.#full) return { type: 'full' };
      const expiresAtMs = nowMs + this.#bounds.inFlightMs;
      this.#inFlight.set(key, { fingerprint, attempt, holder, expiresAtMs, waiters: [] });
      this.#bytes += RECORD_BYTES + key.length;
      return { type: 'first' };
    }
    if (known.fingerprint !== fingerprint) return { type: 'reused' };
    // The question was repeated because its answer was lost on the way.
    if ('waiters' in known) return { type: known.attempt === attempt ? 'first' : 'in_flight' };
    return known.answer === null ? { type: 'unknown' } : { type: 'answered', answer: known.answer };
  }

  /** Calls `waiter` once, when the attempt that is under way has ended; false when too many wait. */
  wait(key: string, waiter: (end: KeyedEnd) => void): boolean {
    const waiters = this.#inFlight.get(key)?.waiters;
    if (waiters !== undefined && waiters.length >= WAITERS_MAX) return false;
    if (waiters !== undefined) waiters.push(waiter);
    else waiter(this.#endOf(key));
    return true;
  }

  /** An attempt was carried out; `answer` is null when it is too large to be kept. */
  finish({ key, fingerprint, attempt }: KeyedAttempt, answer: KeptAnswer | null, nowMs: number): void {
    this.sweep(nowMs);
    const known = this.#inFlight.get(key) ?? this.#settled.get(key);
    if (known !== undefined && known.attempt !== attempt) return;
    // A home that was replaced meanwhile learns here what it has missed, if it has room for it.
    if (known === undefined && this.#full) return;
    this.#settle(key, { fingerprint, attempt, answer }, nowMs);
  }

  /** An attempt will not be carried out: whoever comes next is the first. */
  withdraw(key: string, attempt: string): void {
    const known = this.#inFlight.get(key);
    if (known?.attempt !== attempt) return;
    this.#inFlight.delete(key);
    this.#bytes -= RECORD_BYTES + key.length;
    for (const waiter of known.waiters) waiter({ type: 'withdrawn' });
  }

  /** A worker has ended: what it was carrying out may or may not have happened. */
  dropRun(ended: RunOfWorker, nowMs: number): void {
    for (const [key, { holder, fingerprint, attempt }] of this.#inFlight) {
      if (holder.slot !== ended.slot || holder.run !== ended.run) continue;
      this.#settle(key, { fingerprint, attempt, answer: null }, nowMs);
    }
  }

  /** Forgets what is over; to be called now and then, so that memory is given back. */
  sweep(nowMs: number): void {
    for (const [key, { expiresAtMs, waiters }] of this.#inFlight) {
      if (expiresAtMs > nowMs) break;
      this.#inFlight.delete(key);
      this.#bytes -= RECORD_BYTES + key.length;
      for (const waiter of waiters) waiter({ type: 'unknown' });
    }
    for (const [key, { expiresAtMs, bytes }] of this.#settled) {
      if (expiresAtMs > nowMs) break;
      this.#settled.delete(key);
      this.#bytes -= bytes;
    }
  }

  get #full(): boolean {
    return this.size >= this.#bounds.keysMax || this.#bytes >= this.#bounds.bytesMax;
  }

  #settle(key: string, outcome: Omit<Settled, 'bytes' | 'expiresAtMs'>, nowMs: number): void {
    const flight = this.#inFlight.get(key);
    if (this.#inFlight.delete(key)) this.#bytes -= RECORD_BYTES + key.length;
    this.#bytes -= this.#settled.get(key)?.bytes ?? 0;
    // Deleted first, so that the order of the map stays that of expiry.
    this.#settled.delete(key);
    const { bytesMax, windowMs } = this.#bounds;
    const ownBytes = RECORD_BYTES + key.length;
    const answerBytes = outcome.answer === null ? 0 : answerBytesOf(outcome.answer);
    // An answer of ordinary size is counted with its record; one that does not fit is not kept.
    const extraBytes = Math.max(0, answerBytes - RECORD_BYTES / 2);
    const fits = extraBytes === 0 || this.#bytes + ownBytes + extraBytes <= bytesMax;
    const bytes = fits ? ownBytes + extraBytes : ownBytes;
    const answer = fits ? outcome.answer : null;
    this.#bytes += bytes;
    this.#settled.set(key, { ...outcome, answer, bytes, expiresAtMs: nowMs + windowMs });
    const end = this.#endOf(key);
    for (const waiter of flight?.waiters ?? []) waiter(end);
  }

  #endOf(key: string): KeyedEnd {
    const settled = this.#settled.get(key);
    if (settled === undefined) return { type: 'withdrawn' };
    return settled.answer === null ? { type: 'unknown' } : { type: 'answered', answer: settled.answer };
  }
}

/** A kept answer, marked as one that was given before. */
export function replayedAnswer(answer: KeptAnswer): OutgoingAnswer {
  return { ...answer, headers: [...answer.headers, 'Idempotency-Replayed', 'true'] };
}

/** Status, words, and after how many seconds it is worth coming back, where it is. */
const REFUSALS: Readonly<Record<KeyedRefusal, readonly [status: number, text: string, again?: number]>> = {
  invalid: [400, 'Idempotency-Key is not one line of 1 to 255 visible ASCII characters'],
  reused: [422, 'Idempotency-Key was used for another request'],
  in_flight: [409, 'the request with this Idempotency-Key is still being carried out', 1],
  unknown: [409, 'the outcome of the request with this Idempotency-Key is not known'],
  full: [503, 'no more Idempotency-Keys can be kept', 5],
  unreachable: [503, 'the worker that keeps this Idempotency-Key does not answer', 1],
};

/** The answer to a request that is not carried out because of its key. */
export function keyedRefusalAnswer(refusal: KeyedRefusal): OutgoingAnswer {
  const [status, text, again] = REFUSALS[refusal];
  const body = `{"errors":[{"error":${goJsonString(text)}}],"result":"NG"}`;
  return jsonAnswer(status, body, again === undefined ? [] : ['Retry-After', String(again)]);
}

function answerBytesOf({ headers, body }: KeptAnswer): number {
  const headerBytes = headers.reduce((sum, text) => sum + text.length, 0);
  return headerBytes + body.byteLength;
}
