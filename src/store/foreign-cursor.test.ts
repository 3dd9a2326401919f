/** What one foreign member is told, call by call. Against the original's model: `test/legacy/`. */
import { describe, expect, it } from 'vitest';
import { FOREIGN_LIMITS } from '../base/index.ts';
import type { Entry } from '../consensus/index.ts';
import type { ForeignErrorCode, ForeignOutcome } from '../peer/index.ts';
import { type FeedStep, ForeignCursor } from './foreign-cursor.ts';

const X = Uint8Array.of(120);
const BALLOT = 3;
const FIRST = BigInt(BALLOT) * 2n ** 20n;
const YES: ForeignOutcome = { type: 'answered', answer: { status: 200, accepted: true, error: null } };
const LOST: ForeignOutcome = { type: 'failed', detail: 'deadline' };

function no(code: ForeignErrorCode): ForeignOutcome {
  return { type: 'answered', answer: { status: 200, accepted: false, error: { code, text: 'no' } } };
}

function at(instance: bigint): ForeignOutcome {
  return { type: 'answered', answer: { status: 200, accepted: instance, error: null } };
}

function changes(index: number, ...list: Uint8Array[]): Entry {
  const payload = { type: 'changes', kind: 'k', version: 1, requestId: null, changes: list } as const;
  return { index, ballot: BALLOT, payload };
}

/** The call that the cursor wants made, in short. */
function said(step: FeedStep): string {
  if (step.type === 'rest') return step.early ? 'idle' : 'rest';
  const { call } = step;
  if (call.method === 'submit') return 'submit';
  const sequence = 'sequence' in call ? `/${call.sequence}` : '';
  const count = call.method === 'accept' ? ` ${call.changes.length}` : '';
  return `${call.method} ${call.instance - FIRST}${sequence}${count}`;
}

class Talk {
  applied = 7;
  readonly cursor = new ForeignCursor({
    ...{ cluster: 'c', self: 'm', member: 'f', ballot: BALLOT, participants: ['m', 'f'] },
    random: () => 0,
    snapshot: () => ({ index: this.applied, state: X }),
  });

  /** Answers whatever is asked in turn, and says what that was. */
  run(...outcomes: ForeignOutcome[]): string[] {
    return outcomes.map((outcome) => {
      for (;;) {
        const step = this.cursor.next();
        if (step.type === 'rest') continue;
        this.cursor.settle(outcome);
        return said(step);
      }
    });
  }

  /** As far as the member is in step. */
  static inStep(): Talk {
    const talk = new Talk();
    expect(talk.run(at(FIRST), YES, YES)).toEqual(['prepare 0', 'accept 0/0 0', 'start 0/1']);
    return talk;
  }
}

describe('the way in', () => {
  it('names the master, clears what is staged, and starts from a snapshot', () => {
    const talk = new Talk();
    expect(talk.run(at(FIRST), YES)).toEqual(['prepare 0', 'accept 0/0 0']);
    const step = talk.cursor.next();
    expect(step).toEqual({
      type: 'call',
      call: {
        ...{ method: 'start', instance: FIRST, sequence: 1n, cluster: 'c', self: 'f', master: 'm' },
        ...{ participants: ['m', 'f'], snapshot: X },
      },
    });
    talk.cursor.settle(YES);
    expect(talk.cursor.status).toMatchObject({ phase: 'following', index: 7 });
  });

  it('is shorter for a member that has joined nothing', () => {
    expect(new Talk().run(no('ERR_STATE'), YES)).toEqual(['prepare 0', 'start 0/1']);
  });

  it('goes above the instance that the member is in', () => {
    expect(new Talk().run(at(FIRST + 40n), at(FIRST + 48n), YES)).toEqual([
      'prepare 0',
      'prepare 48',
      'accept 48/0 0',
    ]);
  });

  it('waits when that is beyond the ballot, and looks again', () => {
    const talk = new Talk();
    talk.run(at(2n ** 64n - 1n));
    expect(talk.cursor.next()).toMatchObject({ type: 'rest', restMs: FOREIGN_LIMITS.spentRestMs });
    expect(said(talk.cursor.next())).toBe('prepare 0');
  });

  it('takes another instance after a start that failed: it may still arrive', () => {
    for (const outcome of [LOST, no('ERR_STATE'), no('ERR_SEQUENCE')]) {
      const talk = new Talk();
      talk.run(at(FIRST), YES, outcome);
      expect(said(talk.cursor.next())).toBe('rest');
      expect(said(talk.cursor.next())).toBe('prepare 16');
    }
  });

  it('says nothing more before the master is known to have been named', () => {
    expect(new Talk().run(LOST, LOST, at(FIRST), LOST)).toEqual([
      'prepare 0',
      'prepare 0',
      'prepare 0',
      'accept 0/0 0',
    ]);
  });
});

describe('a member in step', () => {
  it('gets one entry at a time, each followed by a pure commit', () => {
    const talk = Talk.inStep();
    for (const entry of [changes(8, X, X), changes(9, X)]) talk.cursor.offer(entry);
    expect(talk.run(YES, YES, YES, YES)).toEqual([
      'accept 0/2 2',
      'accept 0/3 0',
      'accept 0/4 1',
      'accept 0/5 0',
    ]);
    expect(talk.cursor.status).toMatchObject({ index: 9, sequence: 5n });
  });

  it('spends no sequence on what changes nothing', () => {
    const talk = Talk.inStep();
    talk.cursor.offer({ index: 8, ballot: BALLOT, payload: { type: 'noop' } });
    talk.cursor.offer(changes(9));
    talk.cursor.offer(changes(10, X));
    expect(talk.run(YES)).toEqual(['accept 0/2 1']);
  });

  it('is asked where it is when there is nothing to tell', () => {
    const talk = Talk.inStep();
    expect(said(talk.cursor.next())).toBe('idle');
    expect(talk.run(YES)).toEqual(['accept 0/1 0']);
    expect(said(talk.cursor.next())).toBe('idle');
  });

  it('is started anew after a gap, an error or silence, at an entry, its commit or a probe', () => {
    for (const outcome of [no('ERR_GAP'), no('ERR_DENIED'), no('ERR_STATE'), LOST]) {
      for (const before of [0, 1]) {
        const talk = Talk.inStep();
        talk.cursor.offer(changes(8, X));
        talk.run(...Array.from({ length: before }, () => YES), outcome);
        expect(said(talk.cursor.next())).toBe('rest');
        talk.applied = 8;
        expect(talk.run(at(FIRST + 16n), YES, YES)).toEqual(['prepare 16', 'accept 16/0 0', 'start 16/1']);
        expect(said(talk.cursor.next())).toBe('idle');
      }
    }
  });

  it('gets a snapshot instead when it is too far behind, or the members are others', () => {
    const slow = Talk.inStep();
    for (let index = 0; index <= FOREIGN_LIMITS.queueEntriesMax; index++) {
      slow.cursor.offer(changes(8 + index, X));
    }
    expect(slow.run(at(FIRST))).toEqual(['prepare 16']);

    const moved = Talk.inStep();
    moved.cursor.configure(['m', 'f']);
    expect(said(moved.cursor.next())).toBe('idle');
    moved.cursor.configure(['m', 'n', 'f']);
    expect(moved.run(at(FIRST))).toEqual(['prepare 16']);
  });

  it('may be overtaken while a call is under way', () => {
    const talk = Talk.inStep();
    talk.cursor.offer(changes(8, X));
    talk.run(YES);
    expect(said(talk.cursor.next())).toBe('accept 0/3 0');
    talk.cursor.configure(['m', 'n', 'f']);
    talk.cursor.settle(YES);
    expect(talk.run(at(FIRST))).toEqual(['prepare 16']);
  });

  it('is left alone longer and longer while it fails, up to a bound', () => {
    const talk = new Talk();
    const rests: number[] = [];
    for (let number = 0; number < 12; number++) {
      const step = talk.cursor.next();
      if (step.type === 'rest') rests.push(step.restMs);
      else talk.cursor.settle(LOST);
    }
    expect(rests[0]).toBe(FOREIGN_LIMITS.retryMs / 2);
    expect(rests).toEqual([...rests].sort((left, right) => left - right));
    expect(rests.at(-1)).toBe(FOREIGN_LIMITS.retryMaxMs / 2);
  });
});
