/** Each checker is shown what it must accept, and the smallest thing that it must not. */
import { describe, expect, it } from 'vitest';
import type { Message, Sender } from '../../src/consensus/index.ts';
import { encodePut } from '../register-state.ts';
import { AcknowledgedKept } from './acknowledged-kept.ts';
import { AppliedInOrder } from './applied-in-order.ts';
import { CommitForward } from './commit-forward.ts';
import { ExactlyOnce } from './exactly-once.ts';
import { HonestContact } from './honest-contact.ts';
import { OneMaster } from './one-master.ts';
import { OwnBallot } from './own-ballot.ts';
import { quorumsOverlap, SafeMembership } from './safe-membership.ts';
import { SameState } from './same-state.ts';
import { changesEntry, membersEntry, votersOf } from './testdata/entries.ts';

const sender: Sender = { incarnation: 'c', storage: 'd', run: 1, knows: {}, muted: false };
const question = { call: 1, ballot: 3, sender };

describe('AppliedInOrder', () => {
  it('accepts one after the other, a restart and a snapshot', () => {
    const checker = new AppliedInOrder();
    checker.started('n1', 0);
    for (const index of [1, 2, 3]) checker.applied('n1', index);
    checker.installed('n1', 7);
    checker.applied('n1', 8);
    checker.started('n1', 0);
    checker.applied('n1', 1);
  });

  it('objects to a hole, to a repetition and to an older snapshot', () => {
    const checker = new AppliedInOrder();
    checker.applied('n1', 1);
    expect(() => checker.applied('n1', 3)).toThrow('applied 3 after 1');
    expect(() => checker.applied('n1', 1)).toThrow('applied 1 after 1');
    checker.installed('n1', 5);
    expect(() => checker.installed('n1', 4)).toThrow('installed 4 after 5');
  });
});

describe('SameState', () => {
  it('objects to another hash at the same index only', () => {
    const checker = new SameState();
    checker.reached('n1', 4, 11);
    checker.reached('n2', 4, 11);
    checker.reached('n2', 5, 12);
    expect(() => checker.reached('n1', 5, 13)).toThrow('same-state: at 5 the state of n1 is 13');
  });
});

describe('AcknowledgedKept', () => {
  const told = { requestId: 'r-x', change: encodePut('k', 'x'), index: 4 };

  it('accepts what is committed where it was said to be', () => {
    const checker = new AcknowledgedKept((index) => changesEntry(index, 2, 'x'));
    checker.acknowledged('n1', told);
    checker.converged('n2', 4);
    expect(checker.count).toBe(1);
  });

  it('objects to something else there, to nothing there, and to a node that ends before it', () => {
    expect(() => new AcknowledgedKept(() => changesEntry(4, 2, 'y')).acknowledged('n1', told)).toThrow(
      'not there',
    );
    expect(() => new AcknowledgedKept(() => undefined).acknowledged('n1', told)).toThrow('not there');
    const checker = new AcknowledgedKept((index) => changesEntry(index, 2, 'x'));
    checker.acknowledged('n1', told);
    expect(() => checker.converged('n3', 3)).toThrow('n3 ends at 3, 4 was acknowledged');
  });
});

describe('ExactlyOnce', () => {
  it('accepts the same request at the same index, and objects to it at another', () => {
    const checker = new ExactlyOnce();
    checker.applied('n1', changesEntry(4, 2, 'x'));
    checker.applied('n2', changesEntry(4, 2, 'x'));
    expect(() => checker.applied('n2', changesEntry(9, 3, 'x'))).toThrow('r-x at 9, it was applied at 4');
  });
});

describe('CommitForward', () => {
  it('objects to going back within a life, and to a commit beyond the log', () => {
    const checker = new CommitForward();
    checker.turned('n1', 4, 6);
    checker.turned('n1', 4, 6);
    expect(() => checker.turned('n1', 3, 6)).toThrow('from 4 back to 3');
    expect(() => checker.turned('n1', 7, 6)).toThrow('commits 7, its log ends at 6');
    checker.started('n1');
    checker.turned('n1', 0, 6);
  });
});

describe('OwnBallot', () => {
  const begun = (): OwnBallot => {
    const checker = new OwnBallot();
    checker.appended([changesEntry(4, 2, 'x'), changesEntry(5, 3, 'y')]);
    checker.turned('n1', { ballot: 3, isMaster: true, commitIndex: 3 });
    return checker;
  };

  it('accepts a commit of the own ballot, and what was learned before', () => {
    begun().turned('n1', { ballot: 3, isMaster: true, commitIndex: 5 });
    begun().turned('n2', { ballot: 3, isMaster: true, commitIndex: 4 });
    begun().turned('n1', { ballot: 4, isMaster: false, commitIndex: 4 });
  });

  it('objects to a commit before the own ballot begins', () => {
    const turn = { ballot: 3, isMaster: true, commitIndex: 4 };
    expect(() => begun().turned('n1', turn)).toThrow('own-ballot: n1 commits 4, its ballot 3 begins at 5');
  });
});

describe('OneMaster', () => {
  const append = { type: 'append', ...question } as unknown as Message;
  const vote = (muted: boolean): Message => ({
    type: 'vote_answer',
    ...question,
    sender: { ...sender, muted },
    granted: true,
  });

  it('objects to two masters of a ballot', () => {
    const checker = new OneMaster();
    checker.sent('n1', 'n2', append);
    checker.sent('n1', 'n3', append);
    expect(() => checker.sent('n2', 'n3', append)).toThrow('n2 and n1 are masters of ballot 3');
  });

  it('objects to two votes of one directory, unless it says that it lost something', () => {
    const checker = new OneMaster();
    checker.sent('n1', 'n2', vote(false));
    checker.sent('n1', 'n2', vote(false));
    checker.sent('n1', 'n3', vote(true));
    expect(() => checker.sent('n1', 'n3', vote(false))).toThrow('votes for n3 after n2');
  });
});

describe('SafeMembership', () => {
  const begun = (): SafeMembership => {
    const checker = new SafeMembership();
    checker.started('n1', null, [membersEntry(1, 1, ['n1', 'n2', 'n3'])]);
    return checker;
  };

  it('accepts one committed change after the other', () => {
    const checker = begun();
    checker.appended('n1', [membersEntry(2, 1, ['n1', 'n2', 'n3', 'n4'])], 1);
    checker.appended('n1', [membersEntry(3, 1, ['n1', 'n2', 'n3', 'n4', 'n5'])], 2);
    expect(checker.inUse(3)).toEqual([votersOf(['n1', 'n2', 'n3', 'n4', 'n5'])]);
  });

  it('objects to a second change before the first is committed', () => {
    const checker = begun();
    checker.appended('n1', [membersEntry(2, 1, ['n1', 'n2', 'n3', 'n4'])], 1);
    const second = membersEntry(3, 1, ['n1', 'n2', 'n3', 'n4', 'n5']);
    expect(() => checker.appended('n1', [second], 1)).toThrow('the change at 2 is not committed');
  });

  it('objects to a change by a master that has committed nothing of its own', () => {
    const checker = begun();
    const own = changesEntry(2, 5, 'x');
    const change = membersEntry(3, 5, ['n1', 'n2', 'n3', 'n4']);
    expect(() => checker.appended('n1', [own, change], 1)).toThrow('nothing of its ballot is committed');
  });

  it('objects to majorities that need not meet', () => {
    const checker = begun();
    const far = membersEntry(2, 1, ['n3', 'n4', 'n5']);
    expect(() => checker.appended('n1', [far], 1)).toThrow('safe-membership');
  });

  it('does not blame a follower, which may learn two changes at once', () => {
    const checker = begun();
    const changes = [membersEntry(2, 1, ['n1', 'n2', 'n3', 'n4']), membersEntry(3, 1, ['n1', 'n2', 'n4'])];
    checker.appended('n1', changes.slice(0, 1), 1);
    checker.appended('n1', changes.slice(1), 2);
    checker.started('n2', null, []);
    checker.appended('n2', [membersEntry(1, 1, ['n1', 'n2', 'n3']), ...changes], 0);
  });

  it('knows which majorities meet', () => {
    expect(quorumsOverlap(votersOf(['a', 'b', 'c']), votersOf(['a', 'b', 'c', 'd']))).toBe(true);
    expect(quorumsOverlap(votersOf(['a', 'b', 'c']), votersOf(['a', 'b']))).toBe(true);
    expect(quorumsOverlap(votersOf(['a']), votersOf(['a', 'b', 'c']))).toBe(false);
    expect(quorumsOverlap(votersOf(['a', 'b', 'c']), votersOf(['a', 'b', 'c', 'd', 'e']))).toBe(false);
    expect(quorumsOverlap(votersOf([]), votersOf(['a']))).toBe(false);
    const emptied = votersOf(['a', 'b', 'c']).members.map((member) => ({
      ...member,
      storage: `new-${member.name}`,
    }));
    expect(quorumsOverlap(votersOf(['a', 'b', 'c']), { members: emptied })).toBe(false);
  });
});

describe('HonestContact', () => {
  const configuration = votersOf(['m', 'f', 'g']);
  const append = { type: 'append', ...question } as unknown as Message;
  const answer = { type: 'append_answer', ...question } as unknown as Message;

  const master = { name: 'm', configuration };
  const follower = { name: 'f', configuration };

  /** The master speaks at 100; the follower answers, and hears of it at 130. */
  const spoken = (): HonestContact => {
    const checker = new HonestContact(0);
    const first = checker.sent(master, append, 100);
    checker.received(follower, 'm', append, { nowMs: 105, carriedMs: first });
    const answered = checker.sent(follower, answer, 110);
    checker.received(master, 'f', answer, { nowMs: 115, carriedMs: answered });
    const again = checker.sent(master, { ...append, call: 2 } as Message, 120);
    checker.received(follower, 'm', append, { nowMs: 130, carriedMs: again });
    return checker;
  };

  it('accepts the truth and more', () => {
    const checker = spoken();
    for (const [who, ageMs] of [
      ['m', 30],
      ['f', 30],
      ['f', 50],
    ] as const)
      checker.claimed({ who, nowMs: 130, ageMs, configuration });
  });

  it('objects to less, on the master and on a follower', () => {
    for (const who of ['m', 'f']) {
      const claim = { who, nowMs: 130, ageMs: 20, configuration };
      expect(() => spoken().claimed(claim)).toThrow(
        'says that its contact is as old as 20.0 ms, it is 30.0 ms',
      );
    }
  });

  it('counts an answer by the voters of its arrival, whoever votes a moment later', () => {
    const checker = new HonestContact(0);
    checker.sent(master, append, 100);
    checker.received(master, 'f', answer, { nowMs: 115, carriedMs: Number.NEGATIVE_INFINITY });
    const more = votersOf(['m', 'f', 'g', 'h', 'i']);
    const claim = { who: 'm', nowMs: 120, ageMs: 20, configuration: more };
    checker.claimed(claim);
    expect(() => checker.claimed({ ...claim, ageMs: 17 })).toThrow('it is 20.0 ms');
  });

  it('counts who was the only voter as in contact until there was another one', () => {
    const checker = new HonestContact(0);
    checker.claimed({ who: 'm', nowMs: 100, ageMs: 0, configuration: votersOf(['m']) });
    const claim = { who: 'm', ageMs: 0, configuration };
    checker.claimed({ ...claim, nowMs: 106 });
    expect(() => checker.claimed({ ...claim, nowMs: 116 })).toThrow('it is 10.0 ms');
  });

  it('objects to any figure of a node that no word has reached', () => {
    expect(() => spoken().claimed({ who: 'g', nowMs: 130, ageMs: 30, configuration })).toThrow(
      'it is Infinity ms',
    );
  });
});
