/** What cannot be true beside what is committed is refused and told, and neither ends a node nor moves it. */
import { describe, expect, it } from 'vitest';
import { SnapshotImage } from './snapshot-image.ts';
import { Cluster, type FakeNode } from './testdata/cluster.ts';
import type { Configuration, Entry, Message, Snapshot } from './types.ts';

const SENDER = { incarnation: 'cluster', storage: 'c1', run: 5, knows: { put: 1 }, muted: false };
const CONTACT = { ageMs: 0, echoMs: null };

/** a is the master of b and c, and all three have applied x and y. */
function settled(): Cluster {
  const cluster = new Cluster();
  cluster.found('a');
  cluster.run(10);
  for (const name of ['b', 'c']) {
    cluster.start(name);
    cluster.ask('a', (replica, id) => replica.changeMember(id, { type: 'add', name }));
  }
  cluster.run(1_500);
  for (const text of ['x', 'y']) cluster.propose('a', text);
  cluster.run(500);
  expect(cluster.node('b').applied).toEqual(['x', 'y']);
  return cluster;
}

function append(patch: Partial<Extract<Message, { type: 'append' }>>): Message {
  return {
    ...{ type: 'append', call: 1, ballot: 2, sender: SENDER, prevIndex: 0, prevBallot: 0, entries: [] },
    ...{ commitIndex: 0, firstIndex: 1, round: 1, contact: CONTACT, readmitAt: null, ...patch },
  };
}

function noop(index: number, ballot: number): Entry {
  return { index, ballot, payload: { type: 'noop' } };
}

/** All of a snapshot in one piece. */
function snapshot(of: Omit<Snapshot, 'requests' | 'state'>, ballot: number): Message {
  const image = new SnapshotImage({ ...of, requests: [], state: new Uint8Array(1) });
  const { index, ballot: lastBallot, totalBytes, checksum } = image;
  return {
    ...{ type: 'snapshot', call: 1, ballot, sender: SENDER, index, lastBallot, totalBytes, checksum },
    ...{ offset: 0, piece: image.piece(0, totalBytes), round: 1, contact: CONTACT },
  };
}

/** What b says of the messages, all of them of c; its log and state are as before. */
function refused(cluster: Cluster, ...messages: Message[]): string[] {
  const b = cluster.node('b');
  const { lastIndex, commitIndex } = b.running;
  const told = b.notices.length;
  const answered: string[] = [];
  cluster.events = { message: (from, to, { type }) => void (from + to === 'bc' && answered.push(type)) };
  for (const message of messages) cluster.ask('b', (replica) => replica.receive('c', message));
  cluster.run(5);
  expect(answered).toEqual([]);
  expect({ lastIndex: b.running.lastIndex, commitIndex: b.running.commitIndex }).toEqual({
    lastIndex,
    commitIndex,
  });
  return detailsSince(b, told);
}

function detailsSince(node: FakeNode, from: number): string[] {
  return node.notices.slice(from).flatMap((notice) => {
    return notice.type === 'contradicted' ? [`${notice.from} ${notice.ballot}: ${notice.detail}`] : [];
  });
}

/** After all that, it goes on: with a new master where c has raised the ballot. */
function goesOn(cluster: Cluster): void {
  cluster.run(6_000);
  const id = cluster.propose(cluster.master?.name ?? '', 'z');
  cluster.run(1_000);
  expect(cluster.outcomeOf(id)?.type).toBe('committed');
  for (const node of cluster.nodes.values()) expect(node.applied).toEqual(['x', 'y', 'z']);
}

describe('a follower', () => {
  it('has one master in a ballot, and does not answer a second', () => {
    const cluster = settled();
    const { ballot } = cluster.node('b').running;
    const told = refused(cluster, append({ ballot }), snapshot({ ...place(cluster), index: 99 }, ballot));
    expect(told).toEqual([
      `c ${ballot}: a is the master of this ballot`,
      `c ${ballot}: a is the master of this ballot`,
    ]);
    goesOn(cluster);
  });

  it('lets nobody cut off what is committed', () => {
    const cluster = settled();
    const { lastIndex } = cluster.node('b').running;
    const ballot = cluster.node('b').running.ballot + 5;
    const told = refused(
      cluster,
      append({ ballot, entries: [noop(1, ballot)] }),
      append({ ballot, prevIndex: lastIndex, prevBallot: ballot }),
    );
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/: at 1 ballot 1 is committed, and it has \d+ there$/);
    expect(told[1]).toMatch(/: at \d+ ballot \d+ is committed, and it names \d+$/);
    goesOn(cluster);
  });

  it('takes no snapshot that ends differently where its own log is committed', () => {
    const cluster = settled();
    const told = refused(cluster, snapshot({ ...place(cluster), ballot: 77 }, 77));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('its snapshot ends there with 77');
    goesOn(cluster);
  });

  it('takes nothing from beyond the ballot of its sender, or the end of all logs', () => {
    const cluster = settled();
    const { members } = cluster.node('b').running.configuration;
    const { lastIndex } = cluster.node('b').running;
    const configuration = { members };
    const far = 2 ** 48 + 1;
    const told = refused(
      cluster,
      snapshot({ index: 50, ballot: 30, configuration }, 20),
      snapshot({ index: far, ballot: 20, configuration }, 20),
      append({ ballot: 20, prevIndex: far }),
      append({ ballot: 20, prevIndex: lastIndex, prevBallot: 2, entries: [noop(lastIndex + 1, 1)] }),
    );
    expect(told.map((text) => text.slice('c 20: '.length))).toEqual([
      'its snapshot is of a later ballot than its own',
      'no log is that long',
      'no log is that long',
      expect.stringMatching(/in no order|and it names/),
    ]);
    goesOn(cluster);
  });

  it('takes no members that could not decide anything together', () => {
    const cluster = settled();
    const { members } = cluster.node('b').running.configuration;
    const { lastIndex } = cluster.node('b').running;
    const prevBallot = ballotAt(cluster, lastIndex);
    const [first] = members;
    const broken: Configuration[] = [
      { members: [...members, ...members] },
      { members: members.map((member) => ({ ...member, storage: null })) },
    ];
    expect(first?.role).toBe('voter');
    for (const configuration of broken) {
      const entry: Entry = { index: lastIndex + 1, ballot: 20, payload: { type: 'members', configuration } };
      const told = refused(
        cluster,
        append({ ballot: 20, prevIndex: lastIndex, prevBallot, entries: [entry] }),
        snapshot({ index: lastIndex + 9, ballot: 20, configuration }, 20),
      );
      expect(told).toHaveLength(2);
      expect(told[0]).toContain('its members have no names of their own');
    }
    goesOn(cluster);
  });

  it('asks a master that contradicted it for no confirmed read in that ballot', () => {
    const cluster = settled();
    const b = cluster.node('b');
    const ballot = b.running.ballot + 5;
    refused(cluster, append({ ballot, entries: [noop(1, ballot)] }));
    // Its heartbeats alone would make c its master again.
    cluster.ask('b', (replica) => replica.receive('c', append({ ballot })));
    expect(b.running.master).toBe('c');
    const id = cluster.ask('b', (replica, read) => replica.read(read));
    expect(b.reads).toContainEqual({ id, type: 'refused', master: null });
    goesOn(cluster);
    cluster.ask('b', (replica, read) => replica.read(read));
    cluster.run(500);
    expect(b.reads.at(-1)).toMatchObject({ type: 'ready' });
  });
});

describe('a master', () => {
  it('goes on when somebody else says that the ballot is his', () => {
    const cluster = settled();
    const a = cluster.node('a');
    cluster.ask('a', (replica) => replica.receive('c', append({ ballot: a.running.ballot })));
    expect(detailsSince(a, 0)).toEqual([`c ${a.running.ballot}: a is the master of this ballot`]);
    expect(a.running.isConfirmedMaster).toBe(true);
    goesOn(cluster);
  });

  it('asks a member that claims to have more of a snapshot than there is no faster than any other', () => {
    const cluster = settled();
    cluster.crash('c');
    cluster.propose('a', 'w');
    cluster.run(100);
    cluster.snapshot('a');
    const a = cluster.node('a').running;
    const pieces = (message: Message): number => {
      a.receive('c', message);
      return a.take().send.filter(({ message: { type } }) => type === 'snapshot').length;
    };
    // The first answer of another life is about nothing yet.
    expect([pieces(refusal(cluster)), pieces(refusal(cluster))]).toEqual([0, 1]);
    const [known] = [...a.progress].filter(({ name }) => name === 'c');
    const head = { type: 'snapshot_answer', ballot: a.ballot, sender: SENDER, index: a.commitIndex } as const;
    const told = { ...head, offset: 2 ** 50, installed: false, round: 1, clockMs: 1 };
    const call = known?.answersFrom ?? 0;
    expect([1, 2, 3, 4].map(() => pieces({ ...told, call }))).toEqual([1, 0, 0, 0]);
  });
});

/** Where b's log is committed up to, and by whom. */
function place(cluster: Cluster): { index: number; ballot: number; configuration: Configuration } {
  const { commitIndex, configuration } = cluster.node('b').running;
  return { index: commitIndex, ballot: ballotAt(cluster, commitIndex), configuration };
}

function ballotAt(cluster: Cluster, index: number): number {
  return cluster.node('b').disk.synced.entries.find((entry) => entry.index === index)?.ballot ?? 0;
}

function refusal(cluster: Cluster): Message {
  const { ballot, progress } = cluster.node('a').running;
  const [known] = [...progress].filter(({ name }) => name === 'c');
  const head = { type: 'append_answer', call: known?.answersFrom ?? 0, ballot, sender: SENDER } as const;
  return { ...head, granted: false, matchIndex: 0, matchBallot: 0, round: 1, clockMs: 1 };
}
