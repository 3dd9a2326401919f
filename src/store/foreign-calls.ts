/**
 * The answers to calls in the original's protocol: who may submit, and that nobody else may command.
 *
 * The original's masters remember no promise and its voters count errors, so nothing that such a
 * peer says may move a replica. Only its submissions are taken, by a confirmed master. The texts are
 * those that the original's own peers understand. Driven by `replicated-log.ts`.
 */
import { type Cancellable, LOG_LIMITS, type Timers } from '../base/index.ts';
import type { ForeignAnswer, ForeignCall, ForeignErrorCode } from '../peer/index.ts';
import type { Outcome, ReadOutcome, Settled } from './doors.ts';
import type { LogMode } from './log-options.ts';

/** What answering needs of the node. */
export interface ForeignCallDoors {
  readonly mode: LogMode;
  readonly timers: Timers;
  /** A voter or learner of the cluster; else it was not invited, or was removed. */
  readonly isMember: () => boolean;
  readonly isConfirmedMaster: () => boolean;
  /** Whether the application can read these changes. */
  readonly understands: (changes: readonly Uint8Array[]) => boolean;
  readonly propose: (changes: readonly Uint8Array[], requestId: string | null, done: Settled) => void;
  /** Has a majority confirm that this node is master now. */
  readonly confirm: (done: (outcome: ReadOutcome) => void) => void;
}

/** What a master that is none, or not confirmed, answers to a submission: byte for byte the original's. */
const NON_MASTER = "Can't request changes to be submitted on non-master";
const REFUSED_STATUS = 409;
const FORBIDDEN_STATUS = 403;

/** Answers one foreign call; `reply` is called exactly once. */
export function answerForeign(
  call: ForeignCall,
  doors: ForeignCallDoors,
  reply: (answer: ForeignAnswer) => void,
): void {
  if (call.method === 'submit') submit(call, doors, once(doors.timers, reply));
  else reply(refuse(call, doors));
}

/** No call but `submit` is ever obeyed; what differs is how a caller of the original's kind takes the no. */
function refuse(call: ForeignCall, doors: ForeignCallDoors): ForeignAnswer {
  // Anything of status 200 counts as a vote with the original's candidates, an error included.
  if (call.method === 'prepare') {
    const text = doors.isMember()
      ? 'This member votes only for peers that speak the safe protocol'
      : 'Prepare() called on unjoined or removed participant';
    return { status: REFUSED_STATUS, accepted: 0n, error: { code: 'ERR_STATE', text } };
  }
  const safeOnly = 'Only peers that speak the safe protocol are obeyed here';
  if (doors.mode === 'strict') return { ...no('ERR_DENIED', safeOnly), status: FORBIDDEN_STATUS };
  if (doors.isMember() || call.method === 'start') return no('ERR_STATE', safeOnly);
  if (call.method === 'accept') return no('ERR_STATE', 'Accept() called on unjoined participant');
  const name = call.method === 'addmember' ? 'AddMember' : 'RemoveMember';
  return no('ERR_STATE', `${name}() called on removed or unjoined participant`);
}

function submit(
  call: ForeignCall & { readonly method: 'submit' },
  doors: ForeignCallDoors,
  reply: (answer: ForeignAnswer) => void,
): void {
  if (!doors.isConfirmedMaster()) return reply(no('ERR_STATE', NON_MASTER));
  if (call.changes.length === 0) {
    return doors.confirm((outcome) => {
      // A read that is confirmed after the mastership was lost was confirmed by the next master.
      const isMaster = outcome.type === 'ready' && doors.isConfirmedMaster();
      reply(isMaster ? YES : no('ERR_STATE', NON_MASTER));
    });
  }
  // Committed, it would be skipped by every member; its sender is better told so.
  if (!doors.understands(call.changes)) return reply(no('ERR_ENCODING', "Couldn't decode changes"));
  doors.propose(call.changes, call.requestId, (outcome) => reply(answerOf(outcome)));
}

const YES: ForeignAnswer = { status: 200, accepted: true, error: null };

function no(code: ForeignErrorCode, text: string): ForeignAnswer {
  return { status: 200, accepted: false, error: { code, text } };
}

function answerOf(outcome: Outcome): ForeignAnswer {
  if (outcome.type === 'committed') return YES;
  switch (outcome.reason) {
    case 'not_master':
    case 'not_confirmed':
      return no('ERR_STATE', NON_MASTER);
    case 'busy':
    case 'disk':
    case 'stopped':
      return no('ERR_STATE', outcome.detail);
    case 'too_large':
      return no('ERR_ENCODING', outcome.detail);
    case 'unknown_kind':
    case 'members':
      return no('ERR_DENIED', outcome.detail);
    case 'unknown':
      return no('ERR_MAJORITY', outcome.detail);
  }
}

/** Answers by itself when the log has not done so in time: the caller's fate is then unknown to it. */
function once(timers: Timers, reply: (answer: ForeignAnswer) => void): (answer: ForeignAnswer) => void {
  let deadline: Cancellable | null = timers.after(LOG_LIMITS.foreignSubmitMs, () => {
    deadline = null;
    reply(no('ERR_MAJORITY', 'No majority has answered; the changes may still be committed'));
  });
  return (answer) => {
    if (deadline === null) return;
    deadline.cancel();
    deadline = null;
    reply(answer);
  };
}
