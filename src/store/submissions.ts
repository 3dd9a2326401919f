/**
 * What users ask for, carried on until it is certain: proposed here, or put to the master.
 *
 * Every attempt of one submission bears the same request id, so that it is applied once however
 * often masters change under it. An attempt at one master is given up, not taken back, as soon as
 * another one is known. Driven by `replicated-log.ts`.
 */
import { ArrokothError, type Cancellable, LOG_LIMITS, type Random, type Timers } from '../base/index.ts';
import type { Index, MemberName } from '../consensus/index.ts';
import type { MasterOutcome, MasterRequest } from '../peer/index.ts';
import type { Outcome, Settled } from './doors.ts';

/** Whom to ask, and how. */
export interface SubmissionDoors {
  readonly timers: Timers;
  readonly random: Random;
  readonly self: MemberName;
  /** The master as far as this node knows. */
  readonly master: () => MemberName | null;
  /** Does it as the master. */
  readonly perform: (request: MasterRequest, done: Settled) => void;
  /** Asks another member, as the master. */
  readonly ask: (to: MemberName, request: MasterRequest, done: (outcome: MasterOutcome) => void) => void;
}

/** What one request comes to. */
export type Submitted =
  | { readonly ok: true; readonly index: Index }
  | { readonly ok: false; readonly error: ArrokothError };

interface Pending {
  readonly request: MasterRequest;
  readonly done: (submitted: Submitted) => void;
  deadline: Cancellable;
  /** Counts attempts, so that only the latest one's failure counts. */
  attempt: number;
  asked: MemberName | null;
  pause: Cancellable | null;
  failures: number;
  detail: string;
}

/** All requests of this node that are under way. */
export class Submissions {
  readonly #doors: SubmissionDoors;
  readonly #pending = new Set<Pending>();

  constructor(doors: SubmissionDoors) {
    this.#doors = doors;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Carries `request` out; `done` comes once, within `timeoutMs`. */
  submit(request: MasterRequest, timeoutMs: number, done: (submitted: Submitted) => void): void {
    if (this.#pending.size >= LOG_LIMITS.proposalsMax) {
      const error = new ArrokothError('LOG_BUSY', `${this.#pending.size} requests wait.`);
      return done({ ok: false, error });
    }
    const deadline = this.#doors.timers.after(timeoutMs, () => {
      const details = `${timeoutMs} ms have passed; last: ${pending.detail}.`;
      this.#finish(pending, { ok: false, error: new ArrokothError('LOG_TIMEOUT', details) });
    });
    const start = { attempt: 0, asked: null, pause: null, failures: 0, detail: 'no master is known' };
    const pending: Pending = { request, done, deadline, ...start };
    this.#pending.add(pending);
    this.#try(pending);
  }

  /** A master is known: what waits for one, or for another one, is tried at once. */
  masterKnown(master: MemberName): void {
    for (const pending of [...this.#pending]) {
      if (pending.asked !== master) this.#try(pending);
    }
  }

  /** Ends everything. */
  close(error: ArrokothError): void {
    for (const pending of [...this.#pending]) this.#finish(pending, { ok: false, error });
  }

  #try(pending: Pending): void {
    pending.pause?.cancel();
    pending.pause = null;
    const attempt = ++pending.attempt;
    const master = this.#doors.master();
    pending.asked = master;
    if (master === null) return this.#wait(pending);
    if (master === this.#doors.self) {
      this.#doors.perform(pending.request, (outcome) => this.#performed(pending, attempt, outcome));
    } else {
      this.#doors.ask(master, pending.request, (outcome) => this.#answered(pending, attempt, outcome));
    }
  }

  #performed(pending: Pending, attempt: number, outcome: Outcome): void {
    if (outcome.type === 'committed') return this.#finish(pending, { ok: true, index: outcome.index });
    const error = finalError(outcome.reason, outcome.detail);
    if (error !== null) this.#finish(pending, { ok: false, error });
    else this.#failed(pending, attempt, `${outcome.reason}: ${outcome.detail}`);
  }

  #answered(pending: Pending, attempt: number, outcome: MasterOutcome): void {
    if (outcome.type === 'done') return this.#finish(pending, { ok: true, index: outcome.index });
    if (outcome.retry) return this.#failed(pending, attempt, outcome.detail);
    const code = pending.request.type === 'submit' ? 'LOG_KIND_UNKNOWN' : 'LOG_MEMBERS';
    this.#finish(pending, { ok: false, error: new ArrokothError(code, `${outcome.detail}.`) });
  }

  #failed(pending: Pending, attempt: number, detail: string): void {
    if (attempt !== pending.attempt) return;
    pending.detail = detail;
    this.#wait(pending);
  }

  /** Tries again after a while that grows; sooner, when a master becomes known. */
  #wait(pending: Pending): void {
    if (!this.#pending.has(pending)) return;
    const { submitRetryMs, submitRetryMaxMs } = LOG_LIMITS;
    const restMs = Math.min(submitRetryMs * 2 ** Math.min(pending.failures++, 16), submitRetryMaxMs);
    const delayMs = restMs * (0.5 + this.#doors.random.fraction() / 2);
    pending.pause = this.#doors.timers.after(delayMs, () => this.#try(pending));
  }

  #finish(pending: Pending, submitted: Submitted): void {
    if (!this.#pending.delete(pending)) return;
    pending.deadline.cancel();
    pending.pause?.cancel();
    pending.done(submitted);
  }
}

/** The error of a refusal that another attempt cannot change; null: try again. */
function finalError(reason: (Outcome & { type: 'refused' })['reason'], detail: string): ArrokothError | null {
  switch (reason) {
    case 'unknown_kind':
      return new ArrokothError('LOG_KIND_UNKNOWN', `${detail}.`);
    case 'too_large':
      return new ArrokothError('LOG_TOO_LARGE', `${detail}.`);
    case 'members':
      return new ArrokothError('LOG_MEMBERS', `${detail}.`);
    case 'disk':
      return new ArrokothError('LOG_DISK_FULL', `${detail}.`);
    case 'stopped':
      return new ArrokothError('LOG_CLOSED', `${detail}.`);
    case 'not_master':
    case 'not_confirmed':
    case 'busy':
    case 'unknown':
      return null;
  }
}
