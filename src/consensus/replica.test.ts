/** The door, message by message: what is answered, and what is ignored. */
import { describe, expect, it } from 'vitest';
import { Replica } from './replica.ts';
import { REPLICA_DEFAULTS } from './settings.ts';
import { Cluster, type FakeNode } from './testdata/cluster.ts';
import type { Configuration, Entry, Message, Output, Restored, Sender, Snapshot } from './types.ts';

const MEMBERS: Configuration = {
  members: ['a', 'b', 'c'].map((name) => ({ name, storage: `${name}1`, role: 'voter', knows: { put: 1 } })),
};
const FIRST: Entry = { index: 1, ballot: 1, payload: { type: 'members', configuration: MEMBERS } };

function noop(index: number, ballot: number): Entry {
  return { index, ballot, payload: { type: 'noop' } };
}

function sender(name: string, patch: Partial<Sender> = {}): Sender {
  return { incarnation: 'cluster', storage: `${name}1`, run: 5, knows: { put: 1 }, muted: false, ...patch };
}

function replica(patch: Partial<Restored> = {}, settings = REPLICA_DEFAULTS): Replica {
  const promise = { ballot: 4, votedFor: null };
  const restored = {
    promise,
    snapshot: null,
    entries: [FIRST],
    incarnation: 'cluster',
    muted: false,
    ...patch,
  };
  const options = { name: 'a', storage: 'a1', knows: { put: 1 }, settings, restored, startMs: 0 };
  const made = new Replica({ ...options, random: () => 0.5 });
  made.take();
  return made;
}

function append(patch: Partial<Extract<Message, { type: 'append' }>> = {}): Message {
  const contact = { ageMs: 0, echoMs: null };
  const place = { prevIndex: 1, prevBallot: 1, entries: [], commitIndex: 1, firstIndex: 1, round: 1 };
  return {
    type: 'append',
    call: 1,
    ballot: 4,
    sender: sender('b'),
    ...place,
    contact,
    readmitAt: null,
    ...patch,
  };
}

function snapshotPiece(patch: Partial<Extract<Message, { type: 'snapshot' }>> = {}): Message {
  const contact = { ageMs: 0, echoMs: null };
  const piece = { index: 1, lastBallot: 1, totalBytes: 9, checksum: 1, offset: 0, piece: new Uint8Array(3) };
  return { type: 'snapshot', call: 1, ballot: 4, sender: sender('b'), ...piece, round: 1, contact, ...patch };
}

/** What the replica says to `message` of b. */
function told(to: Replica, message: Message, from = 'b'): Output {
  to.receive(from, message);
  return to.take();
}

/** Lets the disk of `of` be as fast as can be. */
function synced(of: Replica): Output {
  const { sendAfterToken } = of.take();
  of.persisted(sendAfterToken);
  return of.take();
}

/** Makes `made` the master of ballot 5, with the vote of b. */
function elected(made: Replica): Replica {
  made.tick(2_000);
  const [asked] = made.take().send;
  const call = asked?.message.call ?? 0;
  const answer = { ballot: 4, sender: sender('b'), granted: true };
  made.receive('b', { type: 'pre_vote_answer', call, ...answer });
  const output = made.take();
  made.persisted(output.sendAfterToken);
  const vote = output.sendAfter.find(({ to }) => to === 'b');
  made.receive('b', { type: 'vote_answer', ...answer, call: vote?.message.call ?? 0, ballot: 5 });
  made.take();
  expect(made.isMaster).toBe(true);
  return made;
}

describe('a follower', () => {
  it('refuses a master of an earlier ballot, and says which one it has promised', () => {
    const output = told(replica(), append({ ballot: 3 }));
    expect(output.sendAfter).toMatchObject([{ to: 'b', message: { ballot: 4, granted: false } }]);
    expect(told(replica(), snapshotPiece({ ballot: 3 })).sendAfter).toMatchObject([
      { to: 'b', message: { type: 'snapshot_answer', ballot: 4, offset: 0, installed: false } },
    ]);
  });

  it('does not start over from a snapshot of what its log holds', () => {
    const made = replica({ entries: [FIRST, noop(2, 1), noop(3, 1)] });
    const output = told(made, snapshotPiece({ index: 2 }));
    expect(output).toMatchObject({ install: null, persist: null });
    expect(output.sendAfter).toMatchObject([{ message: { offset: 9, installed: true } }]);
    expect([made.lastIndex, made.commitIndex]).toEqual([3, 2]);
  });

  it('says where to look next when its log is shorter, or of another ballot', () => {
    const made = replica({ entries: [FIRST, noop(2, 2), noop(3, 3)] });
    const answers = [
      told(made, append({ prevIndex: 9, prevBallot: 4 })),
      told(made, append({ prevIndex: 3, prevBallot: 2 })),
    ].map(({ sendAfter }) => sendAfter[0]?.message);
    expect(answers).toMatchObject([
      { granted: false, matchIndex: 3, matchBallot: 3 },
      { granted: false, matchIndex: 2, matchBallot: 2 },
    ]);
  });

  it('hands out within a bound, and asks for another turn', () => {
    const entries = [FIRST, noop(2, 1), noop(3, 1), noop(4, 1)];
    const made = replica({ entries }, { ...REPLICA_DEFAULTS, handOutMax: 3 });
    made.tick(7);
    const output = told(made, append({ prevIndex: 4, commitIndex: 4 }));
    expect(output.commit.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(output.wakeAtMs).toBe(7);
    expect(made.take().commit.map(({ index }) => index)).toEqual([4]);
  });

  it('is readmitted only for the life in which the master saw its loss', () => {
    const made = replica({ muted: true });
    const ready = { prevIndex: 1, prevBallot: 1, readmitAt: 1 };
    told(made, append(ready));
    told(made, append({ ...ready, contact: { ageMs: 0, echoMs: 3 } }));
    expect(made.isMuted).toBe(true);
    const { sendAfter } = told(made, append());
    const answer = sendAfter[0]?.message;
    const echoMs = answer?.type === 'append_answer' ? answer.clockMs : null;
    const output = told(made, append({ ...ready, contact: { ageMs: 0, echoMs } }));
    expect(made.isMuted).toBe(false);
    expect(output.persist).toMatchObject({ muted: false });
    expect(output.notices).toContainEqual({ type: 'readmitted' });
    expect(output.sendAfter).toMatchObject([{ message: { sender: { muted: false } } }]);
  });
});

describe('a joiner', () => {
  it('takes the name of the cluster from a master only, and writes it before it answers', () => {
    const made = replica({ incarnation: null, entries: [], promise: { ballot: 0, votedFor: null } });
    const vote = { call: 1, ballot: 5, sender: sender('b'), lastIndex: 9, lastBallot: 4, transfer: false };
    expect(told(made, { type: 'read', call: 1, ballot: 4, sender: sender('b') }).send).toEqual([]);
    expect(told(made, append({ sender: sender('b', { incarnation: null }) })).sendAfter).toEqual([]);
    // It has nothing to lose, and says so to a candidate that has to be sure of that.
    expect(told(made, { type: 'vote', ...vote }).sendAfter).toMatchObject([
      { message: { granted: true, sender: { incarnation: null } } },
    ]);
    const output = told(made, append({ ballot: 5, prevIndex: 0, prevBallot: 0 }));
    expect(output.persist).toMatchObject({ incarnation: 'cluster' });
    expect(output.sendAfter).toMatchObject([{ message: { sender: { incarnation: 'cluster' } } }]);
    expect(made.role).toBe('unjoined');
  });
});

describe('a voter', () => {
  const vote = { call: 1, sender: sender('c'), lastIndex: 1, lastBallot: 1, transfer: false };

  it('waits for its disk before it says yes', () => {
    const made = replica();
    const output = told(made, { type: 'vote', ...vote, ballot: 9 }, 'c');
    expect(output.persist).toMatchObject({ promise: { ballot: 9, votedFor: 'c' } });
    expect(output.send).toEqual([]);
    expect(output.sendAfter).toMatchObject([{ to: 'c', message: { granted: true, ballot: 9 } }]);
    expect(output.sendAfterToken).toBe(output.persist?.token);
  });

  it('raises its ballot for a candidate whose log is too short, and gives it no vote', () => {
    const made = replica({ entries: [FIRST, noop(2, 3)] });
    const output = told(made, { type: 'vote', ...vote, ballot: 9 }, 'c');
    expect(output.persist).toMatchObject({ promise: { ballot: 9, votedFor: null } });
    expect(output.sendAfter).toMatchObject([{ message: { granted: false } }]);
  });

  it('changes nothing for a pre-vote', () => {
    const made = replica();
    const output = told(made, { type: 'pre_vote', ...vote, ballot: 9 }, 'c');
    expect(output).toMatchObject({ persist: null, sendAfter: [] });
    expect(output.send).toMatchObject([{ message: { granted: true, ballot: 4 } }]);
    expect(told(made, { type: 'pre_vote', ...vote, ballot: 4 }, 'c').send).toMatchObject([
      { message: { granted: false } },
    ]);
  });
});

describe('a master', () => {
  const matched = { granted: true, matchIndex: 2, matchBallot: 0, round: 1, clockMs: 6 };

  /** An answer of b to the newest append that it was sent. */
  function answered(made: Replica, patch: object = {}): Output {
    made.tick(10_000);
    const call = made.take().send.findLast(({ to }) => to === 'b')?.message.call ?? 0;
    const answer = { type: 'append_answer', call, ballot: 5, sender: sender('b'), ...matched, ...patch };
    return told(made, answer as Message);
  }

  it('commits nothing on answers that are not about its ballot, its questions or its log', () => {
    for (const patch of [{ ballot: 4 }, { call: 1 }, { call: 2 ** 52 }, { matchIndex: 99 }]) {
      const made = elected(replica());
      synced(made);
      made.tick(2_100);
      answered(made, patch);
      expect(made.commitIndex).toBe(0);
    }
  });

  it('counts a voter only with the directory that was made one, and not while it is muted', () => {
    for (const patch of [{ storage: 'b2' }, { muted: true }]) {
      const made = elected(replica());
      synced(made);
      const call = [...made.progress][0]?.answersFrom;
      told(made, {
        type: 'append_answer',
        call,
        ballot: 5,
        sender: sender('b', patch),
        ...matched,
      } as Message);
      expect(made.commitIndex).toBe(0);
      told(made, { type: 'append_answer', call, ballot: 5, sender: sender('c'), ...matched } as Message, 'c');
      expect(made.commitIndex).toBe(2);
    }
  });

  it('takes a majority for one only when its own disk is part of it', () => {
    const made = elected(replica());
    const call = [...made.progress][0]?.answersFrom;
    told(made, { type: 'append_answer', call, ballot: 5, sender: sender('b'), ...matched } as Message);
    expect(made.commitIndex).toBe(0);
    const token = made.take().sendAfterToken;
    made.persisted(token);
    expect(made.take().commit.map(({ index }) => index)).toEqual([1, 2]);
    expect(made.isConfirmedMaster).toBe(true);
  });

  it('resigns at once when somebody has promised a higher ballot', () => {
    const made = elected(replica());
    made.read(1);
    made.changeMember(2, { type: 'add', name: 'd' });
    const answer = { type: 'append_answer', call: 1, ballot: 9, sender: sender('c'), ...matched };
    const output = told(made, answer as Message, 'c');
    expect(made.isMaster).toBe(false);
    expect(output.persist).toMatchObject({ promise: { ballot: 9, votedFor: null } });
    expect(output.reads).toEqual([{ id: 1, type: 'refused', master: null }]);
    expect(output.settled).toMatchObject([{ id: 2, type: 'refused', reason: 'not_master' }]);
  });

  it('bounds what waits', () => {
    const made = elected(replica({}, { ...REPLICA_DEFAULTS, changesMax: 1, readsMax: 1 }));
    for (const id of [1, 2]) made.changeMember(id, { type: 'add', name: `d${id}` });
    for (const id of [3, 4]) made.read(id);
    made.receive('b', { type: 'read', call: 77, ballot: 5, sender: sender('b') });
    const output = made.take();
    expect(output.settled).toMatchObject([{ id: 2, reason: 'busy' }]);
    expect(output.reads).toEqual([{ id: 4, type: 'refused', master: 'a' }]);
    expect(output.send.filter(({ message }) => message.type === 'read_answer')).toMatchObject([
      { to: 'b', message: { call: 77, index: null, master: 'a' } },
    ]);
  });

  it('takes no proposals while it does not know whether it is still the one', () => {
    const made = elected(replica());
    made.tick(3_500);
    made.propose(1, { type: 'changes', kind: 'put', version: 1, requestId: null, changes: [] });
    expect(made.take().settled).toMatchObject([{ id: 1, reason: 'not_confirmed' }]);
  });
});

describe('somebody who is no master', () => {
  it('refuses what only a master can do, and says who is', () => {
    const made = replica();
    made.changeMember(1, { type: 'remove', name: 'b' });
    made.transfer(2, null);
    made.read(3);
    const output = made.take();
    expect(output.settled).toMatchObject([{ reason: 'not_master' }, { reason: 'not_master' }]);
    expect(output.reads).toEqual([{ id: 3, type: 'refused', master: null }]);
    expect(told(made, { type: 'read', call: 7, ballot: 4, sender: sender('c') }, 'c').send).toMatchObject([
      { to: 'c', message: { type: 'read_answer', call: 7, index: null } },
    ]);
  });

  it('gives up a read that the master does not answer, and takes no answer that comes later', () => {
    const made = replica();
    told(made, append());
    made.read(1);
    const [question] = made.take().send;
    expect(question).toMatchObject({ to: 'b', message: { type: 'read' } });
    made.tick(REPLICA_DEFAULTS.electionMinMs);
    expect(made.take().reads).toEqual([{ id: 1, type: 'refused', master: 'b' }]);
    const call = question?.message.call ?? 0;
    const late = {
      type: 'read_answer',
      call,
      ballot: 4,
      sender: sender('b'),
      index: 1,
      master: 'b',
    } as const;
    expect(told(made, late).reads).toEqual([]);
    made.read(2);
    const again = made.take().send[0]?.message.call ?? 0;
    expect(told(made, { ...late, call: again, index: null }).reads).toEqual([
      { id: 2, type: 'refused', master: 'b' },
    ]);
    expect(made.contactAgeMs(5_000)).toBe(Number.POSITIVE_INFINITY);
    expect([...made.progress]).toEqual([]);
  });
});

describe('the door', () => {
  it('wants a clock that never goes back, and snapshots of what was handed out last', () => {
    const made = replica();
    made.tick(5);
    expect(() => made.tick(4)).toThrow('never goes back');
    expect(() => made.describe(1)).toThrow('handed out last');
  });

  it('ignores a snapshot that is older than the one that a master sent meanwhile', () => {
    const snapshot: Snapshot = {
      index: 8,
      ballot: 3,
      configuration: MEMBERS,
      requests: [],
      state: new Uint8Array(),
    };
    const made = replica({ snapshot, entries: [] });
    made.compacted({ ...snapshot, index: 7 });
    expect(made.lastIndex).toBe(8);
    expect(made.describe(8)).toMatchObject({ index: 8, ballot: 3, configuration: MEMBERS });
  });

  it('gives equal outputs for equal inputs', () => {
    const played = () => {
      const messages: string[] = [];
      const cluster = new Cluster({}, 7);
      cluster.events = { message: (from, to, message) => messages.push(JSON.stringify([from, to, message])) };
      cluster.found('a');
      cluster.run(10);
      for (const name of ['b', 'c']) {
        cluster.start(name);
        cluster.ask('a', (made, id) => made.changeMember(id, { type: 'add', name }));
      }
      cluster.run(1_000);
      cluster.propose('a', 'x');
      cluster.run(100);
      cluster.crash('a');
      cluster.run(5_000);
      return messages;
    };
    const first = played();
    expect(first.length).toBeGreaterThan(100);
    expect(played()).toEqual(first);
  });
});

describe('a proposal whose entry went into a snapshot', () => {
  /** a proposes, is cut off, and comes back to a snapshot of b or c. */
  function cameBack(requestId: string | null): FakeNode {
    const cluster = new Cluster({ electionMaxMs: 2_000, resendMs: 100 });
    cluster.found('a');
    cluster.run(10);
    for (const name of ['b', 'c']) {
      cluster.start(name);
      cluster.ask('a', (made, id) => made.changeMember(id, { type: 'add', name }));
    }
    cluster.run(1_500);
    cluster.cut('b', 'a');
    cluster.cut('c', 'a');
    cluster.propose('a', 'x', requestId);
    cluster.run(2);
    cluster.isolate('a');
    cluster.until(() => cluster.master !== null && cluster.master.name !== 'a');
    cluster.run(50);
    cluster.snapshot(cluster.master?.name ?? '');
    cluster.heal();
    cluster.run(1_000);
    expect(cluster.node('a').applied).toEqual(['x']);
    return cluster.node('a');
  }

  it('is committed when the snapshot names its request', () => {
    expect(cameBack('r1').settled.at(-1)).toMatchObject({ type: 'committed' });
  });

  it('is unknown otherwise', () => {
    expect(cameBack(null).settled.at(-1)).toMatchObject({ type: 'refused', reason: 'unknown' });
  });
});
