/** Whom a voter votes for: by the logs, by what it has promised, and when its disk has lost a vote. */
import { describe, expect, it } from 'vitest';
import { Replica } from './replica.ts';
import { REPLICA_DEFAULTS } from './settings.ts';
import { Cluster } from './testdata/cluster.ts';
import type { Ballot, Configuration, Entry, Index, Message, Restored, Sender } from './types.ts';

const MEMBERS: Configuration = {
  members: ['a', 'b', 'c'].map((name) => ({ name, storage: `${name}1`, role: 'voter', knows: {} })),
};

function senderOf(name: string): Sender {
  return { incarnation: 'cluster', storage: `${name}1`, run: 5, knows: { put: 1 }, muted: false };
}

/** A voter whose log ends with 3/4: index 3, of ballot 4. */
function voter(patch: Partial<Restored> = {}): Replica {
  const ballots = [1, 2, 4];
  const entries = ballots.map((ballot, at): Entry => {
    const payload = at === 0 ? ({ type: 'members', configuration: MEMBERS } as const) : { type: 'noop' };
    return { index: at + 1, ballot, payload } as Entry;
  });
  const promise = { ballot: 5, votedFor: null };
  const restored = { promise, snapshot: null, entries, incarnation: 'cluster', muted: false, ...patch };
  const facts = { name: 'a', storage: 'a1', knows: {}, settings: REPLICA_DEFAULTS, startMs: 0 };
  const made = new Replica({ ...facts, random: () => 0.5, restored });
  made.take();
  return made;
}

/** What `to` answers c, whose log ends with `lastIndex` of `lastBallot`. */
function asked(
  to: Replica,
  question: { type: 'vote' | 'pre_vote'; ballot: Ballot; lastIndex: Index; lastBallot: Ballot },
): boolean {
  const message = { ...question, call: 1, sender: senderOf('c'), transfer: false };
  to.receive('c', message as Message);
  const { send, sendAfter } = to.take();
  const [answer] = [...send, ...sendAfter].filter((each) => each.to === 'c').map((each) => each.message);
  if (answer?.type !== 'vote_answer' && answer?.type !== 'pre_vote_answer') throw new Error('no answer');
  return answer.granted;
}

describe('a voter', () => {
  /** Raft 5.4.1: the log that ends with the higher ballot is newer; of two that end alike, the longer one. */
  const table: [lastIndex: Index, lastBallot: Ballot, granted: boolean][] = [
    [0, 0, false],
    [2, 4, false],
    [3, 3, false],
    [9, 3, false],
    [9, 2, false],
    [3, 4, true],
    [4, 4, true],
    [1, 5, true],
    [3, 5, true],
  ];
  for (const [lastIndex, lastBallot, granted] of table) {
    const verb = granted ? 'votes' : 'does not vote';
    it(`whose log ends with 3/4 ${verb} for ${lastIndex}/${lastBallot}`, () => {
      for (const type of ['vote', 'pre_vote'] as const) {
        expect([type, asked(voter(), { type, ballot: 6, lastIndex, lastBallot })]).toEqual([type, granted]);
      }
    });
  }

  it('compares with what a snapshot ends with when it holds no entries', () => {
    const snapshot = { index: 3, ballot: 4, configuration: MEMBERS, requests: [], state: new Uint8Array() };
    const made = (): Replica => voter({ snapshot, entries: [] });
    expect(asked(made(), { type: 'vote', ballot: 6, lastIndex: 2, lastBallot: 4 })).toBe(false);
    expect(asked(made(), { type: 'vote', ballot: 6, lastIndex: 3, lastBallot: 4 })).toBe(true);
  });
});

describe('a candidate', () => {
  it('asks for votes, and counts its own, only when its promise is on disk', () => {
    const made = voter();
    made.tick(2_000);
    for (const { to, message } of made.take().send) {
      const { call } = message;
      made.receive(to, { type: 'pre_vote_answer', call, ballot: 5, sender: senderOf(to), granted: true });
    }
    const { send, sendAfter, sendAfterToken, persist } = made.take();
    expect(persist?.promise).toEqual({ ballot: 6, votedFor: 'a' });
    expect(send).toEqual([]);
    expect(sendAfter.map(({ message: { type } }) => type)).toEqual(['vote', 'vote']);
    const call = sendAfter.find(({ to }) => to === 'b')?.message.call ?? 0;
    // However it may have come about: with b's vote and its own there would be a majority.
    made.receive('b', { type: 'vote_answer', call, ballot: 6, sender: senderOf('b'), granted: true });
    made.take();
    expect(made.isMaster).toBe(false);
    made.persisted(sendAfterToken);
    made.take();
    expect(made.isMaster).toBe(true);
  });
});

describe('a voter that lost a vote which was on its disk', () => {
  type Vote = Extract<Message, { type: 'vote' }>;

  /** a is the master of five voters, and e asks for votes in the next ballot, as of the log of now. */
  function five(): { cluster: Cluster; vote: Vote } {
    const cluster = new Cluster();
    cluster.found('a');
    cluster.run(10);
    for (const name of ['b', 'c', 'd', 'e']) {
      cluster.start(name);
      cluster.ask('a', (replica, id) => replica.changeMember(id, { type: 'add', name }));
    }
    cluster.run(5_000);
    // It hears of nothing that comes after its question, and nobody of its answers.
    cluster.isolate('e');
    const { running, disk } = cluster.node('e');
    expect(running.configuration.members.filter(({ role }) => role === 'voter')).toHaveLength(5);
    const { index = 0, ballot = 0 } = disk.synced.entries.at(-1) ?? {};
    const last = { lastIndex: index, lastBallot: ballot };
    // As if the master had asked e to campaign: being heard of is then no reason to refuse.
    const head = { type: 'vote', call: 1, ballot: running.ballot + 1, sender: senderOf('e') } as const;
    return { cluster, vote: { ...head, ...last, transfer: true } };
  }

  /** Whether e has the vote of `name`, on its disk. */
  function grants(cluster: Cluster, name: string, vote: Vote): boolean {
    cluster.ask(name, (replica) => replica.receive('e', vote));
    cluster.run(3);
    const { ballot, votedFor } = cluster.node(name).disk.synced.promise;
    return ballot === vote.ballot && votedFor === 'e';
  }

  it('counts again only when that vote can no longer decide anything', () => {
    const { cluster, vote } = five();
    expect(grants(cluster, 'b', vote)).toBe(true);
    cluster.crash('b');
    cluster.node('b').disk.tear(0);
    expect(cluster.node('b').disk.synced.promise.votedFor).toBeNull();
    const told = cluster.node('b').notices.length;
    cluster.start('b');
    expect(cluster.node('b').running.isMuted).toBe(true);
    cluster.until(() =>
      cluster
        .node('b')
        .notices.slice(told)
        .some(({ type }) => type === 'readmitted'),
    );
    expect(cluster.master).toMatchObject({ name: 'a', running: { ballot: vote.ballot - 1 } });
    // Without b, a majority has since taken an entry that e did not have when it asked for that vote.
    const refusals = ['c', 'd', 'a'].map((name) => grants(cluster, name, vote));
    expect(refusals).toEqual([false, false, false]);
    // What is left for e are its own vote and the lost one: two of five.
    expect(cluster.node('e').running.isMaster).toBe(false);
  });

  it('stays muted as long as it could decide something', () => {
    const { cluster, vote } = five();
    expect(grants(cluster, 'b', vote)).toBe(true);
    cluster.crash('b');
    cluster.node('b').disk.tear(0);
    // Two of five are gone and b does not count: nobody can commit what would bring b back.
    cluster.crash('c');
    cluster.crash('d');
    cluster.start('b');
    cluster.run(10_000);
    expect(cluster.node('b').running.isMuted).toBe(true);
    expect(cluster.master).toBeNull();
  });
});
