/** What callers in the original's protocol are answered: nearly always no, and in its own words. */
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { LOG_LIMITS } from '../base/index.ts';
import type { ForeignAnswer, ForeignCall } from '../peer/index.ts';
import type { Outcome, ReadOutcome, Settled } from './doors.ts';
import { answerForeign, type ForeignCallDoors } from './foreign-calls.ts';

const NON_MASTER = { code: 'ERR_STATE', text: "Can't request changes to be submitted on non-master" };
const YES = { status: 200, accepted: true, error: null };
const at = { instance: 4n, sequence: 2n } as const;
const CALLS = {
  prepare: { method: 'prepare', instance: 9n, master: 'http://x' },
  accept: { method: 'accept', ...at, changes: [] },
  addmember: { method: 'addmember', ...at, member: 'http://x' },
  rmmember: { method: 'rmmember', ...at, member: 'http://x' },
  start: {
    ...{ method: 'start', ...at, cluster: 'c', self: 'http://me', master: 'http://x' },
    ...{ participants: ['http://x'], snapshot: new Uint8Array() },
  },
  submit: { method: 'submit', changes: [Uint8Array.of(1)], requestId: 'r' },
  empty: { method: 'submit', changes: [], requestId: null },
} as const satisfies Record<string, ForeignCall>;

let time: FakeTime;
let isMember: boolean;
let isConfirmedMaster: boolean;
let readable: boolean;
let proposals: { changes: readonly Uint8Array[]; requestId: string | null; done: Settled }[];
let confirmations: ((outcome: ReadOutcome) => void)[];
let answers: ForeignAnswer[];

beforeEach(() => {
  time = new FakeTime();
  isMember = true;
  isConfirmedMaster = true;
  readable = true;
  proposals = [];
  confirmations = [];
  answers = [];
});

function call(given: ForeignCall, mode: ForeignCallDoors['mode'] = 'interop'): ForeignAnswer | undefined {
  const doors: ForeignCallDoors = {
    mode,
    timers: time,
    isMember: () => isMember,
    isConfirmedMaster: () => isConfirmedMaster,
    understands: () => readable,
    propose: (changes, requestId, done) => proposals.push({ changes, requestId, done }),
    confirm: (done) => confirmations.push(done),
  };
  answerForeign(given, doors, (answer) => answers.push(answer));
  return answers.at(-1);
}

describe.each(['strict', 'interop'] as const)('in %s', (mode) => {
  it('a prepare is never answered 200, which would be a vote', () => {
    for (const member of [true, false]) {
      isMember = member;
      expect(call(CALLS.prepare, mode)).toMatchObject({ status: 409, accepted: 0n });
    }
  });

  it.each(['accept', 'addmember', 'rmmember', 'start'] as const)('%s is not obeyed by a member', (method) => {
    expect(call(CALLS[method], mode)).toMatchObject({ accepted: false });
  });

  it('a submission is accepted once it is committed', () => {
    expect(call(CALLS.submit, mode)).toBeUndefined();
    expect(proposals).toMatchObject([{ changes: CALLS.submit.changes, requestId: 'r' }]);
    proposals[0]?.done({ type: 'committed', index: 1 });
    expect(answers).toEqual([YES]);
    expect(time.pending).toBe(0);
  });

  it('a submission is refused by whoever is not the confirmed master', () => {
    isConfirmedMaster = false;
    const refusal = { status: 200, accepted: false, error: NON_MASTER };
    expect(call(CALLS.submit, mode)).toEqual(refusal);
    expect(call(CALLS.empty, mode)).toEqual(refusal);
    expect([proposals, confirmations]).toEqual([[], []]);
  });

  it('an empty submission is accepted once a majority has confirmed the master', () => {
    expect(call(CALLS.empty, mode)).toBeUndefined();
    confirmations[0]?.({ type: 'ready', index: 1 });
    expect(answers).toEqual([YES]);
  });
});

describe('an uninvited node in interop', () => {
  it.each([
    ['accept', 'Accept() called on unjoined participant'],
    ['addmember', 'AddMember() called on removed or unjoined participant'],
    ['rmmember', 'RemoveMember() called on removed or unjoined participant'],
  ] as const)('answers %s in the words of the original', (method, text) => {
    isMember = false;
    expect(call(CALLS[method])).toEqual({ status: 200, accepted: false, error: { code: 'ERR_STATE', text } });
  });

  it('takes no start', () => {
    isMember = false;
    expect(call(CALLS.start)).toMatchObject({ status: 200, accepted: false, error: { code: 'ERR_STATE' } });
  });
});

describe('in strict', () => {
  it.each(['accept', 'addmember', 'rmmember', 'start'] as const)('%s is forbidden to all', (method) => {
    for (const member of [true, false]) {
      isMember = member;
      expect(call(CALLS[method], 'strict')).toMatchObject({ status: 403, accepted: false });
    }
  });
});

describe('a submission', () => {
  const refusals: [(Outcome & { type: 'refused' })['reason'], string][] = [
    ['not_master', 'ERR_STATE'],
    ['not_confirmed', 'ERR_STATE'],
    ['busy', 'ERR_STATE'],
    ['disk', 'ERR_STATE'],
    ['stopped', 'ERR_STATE'],
    ['too_large', 'ERR_ENCODING'],
    ['unknown_kind', 'ERR_DENIED'],
    ['members', 'ERR_DENIED'],
    ['unknown', 'ERR_MAJORITY'],
  ];
  it.each(refusals)('that the log refuses as `%s` is answered %s', (reason, code) => {
    call(CALLS.submit);
    proposals[0]?.done({ type: 'refused', reason, master: null, detail: 'why' });
    expect(answers).toMatchObject([{ status: 200, accepted: false, error: { code } }]);
    if (reason.startsWith('not_')) expect(answers[0]?.error).toEqual(NON_MASTER);
  });

  it('that the application cannot read is not put into the log', () => {
    readable = false;
    expect(call(CALLS.submit)).toMatchObject({ accepted: false, error: { code: 'ERR_ENCODING' } });
    expect(proposals).toEqual([]);
  });

  it('whose fate stays open is answered in time, and only once', () => {
    call(CALLS.submit);
    time.advance(LOG_LIMITS.foreignSubmitMs);
    expect(answers).toMatchObject([{ accepted: false, error: { code: 'ERR_MAJORITY' } }]);
    proposals[0]?.done({ type: 'committed', index: 1 });
    expect(answers.length).toBe(1);
  });

  it('that is empty fails when the mastership was lost while it was confirmed', () => {
    call(CALLS.empty);
    isConfirmedMaster = false;
    confirmations[0]?.({ type: 'ready', index: 1 });
    call(CALLS.empty);
    isConfirmedMaster = true;
    call(CALLS.empty);
    confirmations[1]?.({ type: 'refused', master: null });
    expect(answers.map(({ error }) => error)).toEqual([NON_MASTER, NON_MASTER, NON_MASTER]);
  });
});
