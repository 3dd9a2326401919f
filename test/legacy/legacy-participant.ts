/**
 * A participant of the original: what it does by itself, bug for bug, on top of what it answers.
 *
 * Its calls to others go through a door, so that a test decides about order, loss, delay and death.
 * Between two calls nothing happens that a test did not ask for.
 */
import type { Cancellable } from '../../src/base/index.ts';
import type { ForeignAnswer, ForeignCall, ForeignOutcome } from '../../src/peer/index.ts';
import {
  type LegacyApplication,
  type LegacyFailure,
  LegacyPanic,
  LegacyReceiver,
  no,
  STATE,
  U64_MAX,
  YES,
} from './legacy-receiver.ts';

/** How a participant reaches the others, and how it waits. */
export interface LegacyDoor {
  call(to: string, call: ForeignCall, done: (outcome: ForeignOutcome) => void): void;
  after(delayMs: number, run: () => void): Cancellable;
}

/** Null: success. */
export type LegacyDone = (failure: LegacyFailure | null) => void;

/** What the master gives up after, counted from the latest answer. */
const PATIENCE_MS = 5_000;
/** Failed submits, or failed accepts of one member, after which it tries something else. */
const FAILURES_MAX = 3;

export class LegacyParticipant extends LegacyReceiver {
  readonly #door: LegacyDoor;
  /** Never set back by success, as in the original. */
  failedSubmits = 0;
  failedAccepts: Map<string, number> = new Map();

  constructor(cluster: string, application: LegacyApplication, door: LegacyDoor) {
    super(cluster, application);
    this.#door = door;
  }

  /** A call of another node. `submit` is answered when it is decided, all others at once. */
  handle(call: ForeignCall, reply: (answer: ForeignAnswer) => void): void {
    if (call.method !== 'submit') {
      reply(this.answer(call));
      return;
    }
    for (const change of call.changes) this.application.check?.(change);
    if (this.state !== STATE.master) {
      reply(no('ERR_STATE', "Can't request changes to be submitted on non-master"));
      return;
    }
    this.#submitAsMaster(call.changes, (failure) => {
      reply(failure === null ? YES : no(failure.code, failure.text));
    });
  }

  /** A submission of this node's own application. */
  submit(changes: readonly Uint8Array[], done: LegacyDone): void {
    switch (this.state) {
      case STATE.master:
        this.#submitAsMaster(changes, done);
        return;
      case STATE.clean:
      case STATE.pending:
        this.#forward(changes, done);
        return;
      case STATE.removed:
        // Success, and nothing done.
        done(null);
        return;
      default:
        done({ code: 'ERR_STATE', text: `In state ${this.state}, try again later` });
    }
  }

  /** A submission of nothing; the original uses it to see whether the master is alive. */
  pingMaster(done: LegacyDone): void {
    this.submit([], done);
  }

  /** An election, and then a submission of nothing, which sends nothing. */
  startElection(done: LegacyDone): void {
    this.#elect((failure) => {
      if (failure === null) this.#submitAsMaster([], done);
      else done(failure);
    });
  }

  addParticipant(member: string, done: LegacyDone): void {
    if (this.state !== STATE.master) return done({ code: 'ERR_STATE', text: 'Not master' });
    if (this.members.includes(member)) return done({ code: 'ERR_STATE', text: 'Participant already exists' });
    const call = this.#memberCall('addmember', member);
    this.#askInTurn(this.#others, call, (votes) => {
      if (votes < this.#need) return done(missed(votes, this.#need));
      this.#advance();
      this.members.push(member);
      // The member counts from here on, whether or not it can be reached.
      this.#door.call(member, this.#startCall(member), (outcome) => done(failureOf(outcome)));
    });
  }

  removeParticipant(member: string, done: LegacyDone): void {
    const always = { code: 'ERR_STATE', text: "Participant doesn't exist in cluster" } as const;
    if (this.state !== STATE.master || !this.members.includes(member)) return done(always);
    const call = this.#memberCall('rmmember', member);
    this.#askInTurn(this.#others, call, (votes) => {
      if (votes < this.#need) return done(missed(votes, this.#need));
      this.#advance();
      this.members = this.members.filter((other) => other !== member);
      done(always);
    });
  }

  get #others(): string[] {
    return this.members.filter((member) => member !== this.self);
  }

  /** Votes of others: half is enough where the members are even in number. */
  get #need(): number {
    return Math.trunc((this.members.length - 1) / 2);
  }

  #advance(): void {
    this.sequence = (this.sequence + 1n) & U64_MAX;
  }

  #memberCall(method: 'addmember' | 'rmmember', member: string): ForeignCall {
    return { method, instance: this.instance, sequence: this.sequence + 1n, member };
  }

  #startCall(self: string): ForeignCall {
    return {
      method: 'start',
      instance: this.instance,
      sequence: this.sequence,
      cluster: this.cluster,
      self,
      master: this.self,
      participants: [...this.members],
      snapshot: this.application.snapshot(),
    };
  }

  #forward(changes: readonly Uint8Array[], done: LegacyDone): void {
    const master = this.masters.get(this.instance);
    if (master === undefined) throw new LegacyPanic(`no master is known in instance ${this.instance}`);
    this.#door.call(master, { method: 'submit', changes, requestId: null }, (outcome) => {
      const failure = failureOf(outcome);
      if (failure === null) return done(null);
      this.failedSubmits++;
      if (this.failedSubmits < FAILURES_MAX) return done(failure);
      this.failedSubmits = 0;
      this.#elect((lost) => {
        if (lost === null) this.#submitAsMaster(changes, done);
        else done(lost);
      });
    });
  }

  #submitAsMaster(changes: readonly Uint8Array[], done: LegacyDone): void {
    if (changes.length === 0) return done(null);
    const need = this.#need;
    const others = this.#others;
    let votes = 0;
    let answers = 0;
    let isDone = false;
    let patience: Cancellable | null = null;
    const decide = (isOver: boolean): void => {
      if (isDone || (votes < need && !isOver)) return;
      isDone = true;
      patience?.cancel();
      if (votes < need) return done(missed(votes, need));
      this.#advance();
      for (const change of changes) this.application.apply(change);
      done(null);
    };
    const wait = (): void => {
      patience?.cancel();
      if (!isDone) patience = this.#door.after(PATIENCE_MS, () => decide(true));
    };
    for (const member of others) {
      this.#sendAccept(member, changes, (isVote) => {
        answers++;
        if (isVote) votes++;
        decide(answers === others.length);
        wait();
      });
    }
    decide(answers === others.length);
    wait();
  }

  /** One member's part of a submission. The sequence is read when it is sent, without the lock. */
  #sendAccept(member: string, changes: readonly Uint8Array[], vote: (isVote: boolean) => void): void {
    const accept = (done: (isVote: boolean) => void): void => {
      const { instance, sequence } = this;
      const call: ForeignCall = { method: 'accept', instance, sequence: sequence + 1n, changes };
      this.#door.call(member, call, (outcome) => done(failureOf(outcome) === null));
    };
    accept((isVote) => {
      if (isVote) {
        this.failedAccepts.set(member, 0);
        return vote(true);
      }
      const failures = (this.failedAccepts.get(member) ?? 0) + 1;
      this.failedAccepts.set(member, failures % FAILURES_MAX);
      if (failures < FAILURES_MAX) return vote(false);
      this.#door.call(member, this.#startCall(member), (outcome) => {
        if (failureOf(outcome) === null) accept(vote);
        else vote(false);
      });
    });
  }

  #elect(done: LegacyDone): void {
    this.state = STATE.candidate;
    const asked = (this.instance + 1n) & U64_MAX;
    const call: ForeignCall = { method: 'prepare', instance: asked, master: this.self };
    const need = this.#need;
    let votes = 0;
    const ask = (at: number, others: readonly string[]): void => {
      const member = others[at];
      if (member === undefined) {
        if (votes < need) {
          this.state = STATE.clean;
          return done({ code: 'ERR_MAJORITY', text: 'No majority in master election: []' });
        }
        // Read again, after calls during which it may have moved: perhaps an instance nobody was asked for.
        this.instance = (this.instance + 1n) & U64_MAX;
        this.masters.set(this.instance, this.self);
        this.sequence = 0n;
        this.state = STATE.master;
        this.events.push({ type: 'become_master' });
        return done(null);
      }
      this.#door.call(member, call, (outcome) => {
        if (outcome.type === 'answered' && outcome.answer.status === 200) {
          const accepted = BigInt(outcome.answer.accepted);
          if (accepted > asked) {
            // It stays a candidate until somebody's Accept arrives.
            return done({ code: 'ERR_DENIED', text: `Instance ${asked} less than ${accepted}` });
          }
          // Errors come with 0, refusals with the number that was asked for: both are votes.
          votes++;
        }
        ask(at + 1, others);
      });
    };
    ask(0, this.#others);
  }

  /** One after the other; counts who said yes. */
  #askInTurn(others: readonly string[], call: ForeignCall, done: (votes: number) => void): void {
    let votes = 0;
    const ask = (at: number): void => {
      const member = others[at];
      if (member === undefined) return done(votes);
      this.#door.call(member, call, (outcome) => {
        if (failureOf(outcome) === null) votes++;
        ask(at + 1);
      });
    };
    ask(0);
  }
}

function missed(votes: number, need: number): LegacyFailure {
  return { code: 'ERR_MAJORITY', text: `Missed majority: ${votes}/${need}. Errors: []` };
}

/** Null when the other side said yes. */
function failureOf(outcome: ForeignOutcome): LegacyFailure | null {
  if (outcome.type === 'failed') return { code: 'ERR_CALL', text: outcome.detail };
  const { status, accepted, error } = outcome.answer;
  if (status !== 200) return { code: 'ERR_CALL', text: `Received HTTP code ${status}` };
  if (accepted === true) return null;
  return error === null ? { code: 'ERR_CALL', text: 'refused' } : { code: error.code, text: error.text };
}
