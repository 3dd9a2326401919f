/** Whatever members send, in whatever state it meets a replica: nothing of it makes the replica throw. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Replica } from './replica.ts';
import { REPLICA_DEFAULTS } from './settings.ts';
import { SnapshotImage } from './snapshot-image.ts';
import type { Configuration, Entry, Envelope, Message, Output, Restored, Snapshot } from './types.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const SETTINGS = {
  ...REPLICA_DEFAULTS,
  keptBytesMax: 300,
  voterDownMs: 3_000,
  pieceBytesMax: 200,
  readsMax: 8,
};

const name = fc.constantFrom(...NAMES);
/** Mostly small, so that numbers of different messages meet; sometimes as large as the wire allows. */
const number = fc.oneof(
  { weight: 12, arbitrary: fc.nat(9) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 31, 2 ** 48, 2 ** 48 + 1, Number.MAX_SAFE_INTEGER) },
);
const ballot = fc.oneof({ weight: 12, arbitrary: fc.nat(7) }, { weight: 1, arbitrary: number });
const storage = name.map((each) => `${each}1`);
const member = fc.record({
  name,
  storage: fc.option(storage),
  role: fc.constantFrom('voter' as const, 'voter' as const, 'learner' as const, 'foreign' as const),
  knows: fc.constantFrom({}, { put: 1 }, { put: 2, constructor: 3 }),
});
const configuration = fc.oneof(
  { weight: 3, arbitrary: fc.subarray(NAMES, { minLength: 1 }).map(votersOnly) },
  { weight: 1, arbitrary: fc.record({ members: fc.array(member, { maxLength: 5 }) }) },
);
const payload = fc.oneof(
  fc.constant({ type: 'noop' as const }),
  fc.record({ type: fc.constant('members' as const), configuration }),
  fc.record({
    type: fc.constant('changes' as const),
    kind: fc.constantFrom('put', 'put', 'put', 'other'),
    version: fc.constant(1),
    requestId: fc.option(fc.constantFrom('r1', 'r2')),
    changes: fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 2 }),
  }),
);
/** As the codec makes them: contiguous. Their ballots are in order in most cases. */
const entries = fc.record({
  prevIndex: number,
  prevBallot: ballot,
  payloads: fc.array(payload, { maxLength: 4 }),
  ballots: fc.oneof(fc.array(ballot, { minLength: 4, maxLength: 4 }).map(sorted), fc.array(ballot)),
});
const sender = fc.record({
  incarnation: fc.constantFrom('cluster', 'cluster', 'cluster', 'another', null),
  storage,
  run: fc.nat(2),
  knows: fc.constantFrom({ put: 1 }, {}),
  muted: fc.boolean(),
});
const contact = fc.record({ ageMs: fc.constantFrom(0, 5, -1e300, Infinity), echoMs: fc.option(number) });
const image = fc
  .record({ index: number, ballot, configuration, requests: fc.constantFrom([], [['r1', 3]], [7], [null]) })
  .map((head) => new SnapshotImage({ ...head, state: new Uint8Array(3) } as unknown as Snapshot));

/** A question of any kind, without what all questions have. */
const question = fc.oneof(
  fc.record({ type: fc.constant('pre_vote'), lastIndex: number, lastBallot: ballot }),
  fc.record({ type: fc.constant('vote'), lastIndex: number, lastBallot: ballot, transfer: fc.boolean() }),
  fc
    .record({ entries, commitIndex: number, round: number, contact, readmitAt: fc.option(number) })
    .map(({ entries: { prevIndex, prevBallot, payloads, ballots }, ...rest }) => ({
      ...{ type: 'append', prevIndex, prevBallot, firstIndex: 1, ...rest },
      entries: payloads.map((each, at) => entry(prevIndex + 1 + at, ballots[at] ?? 1, each)),
    })),
  fc
    .record({ image, cut: fc.boolean(), lie: fc.option(number), round: number, contact })
    .map(({ image: whole, cut, lie, round, contact }) => ({
      ...{ type: 'snapshot', index: lie ?? whole.index, lastBallot: whole.ballot, round, contact },
      ...{ totalBytes: whole.totalBytes, checksum: whole.checksum, offset: 0 },
      piece: whole.piece(0, cut ? 20 : whole.totalBytes),
    })),
  fc.record({ type: fc.constant('transfer') }),
  fc.record({ type: fc.constant('read') }),
);
/** An answer of any kind. */
const answer = fc.oneof(
  fc.record({ type: fc.constantFrom('pre_vote_answer', 'vote_answer'), granted: fc.boolean() }),
  fc.record({
    ...{ type: fc.constant('append_answer'), granted: fc.boolean(), matchIndex: number },
    ...{ matchBallot: ballot, round: number, clockMs: number },
  }),
  fc.record({
    ...{ type: fc.constant('snapshot_answer'), index: number, offset: number, installed: fc.boolean() },
    ...{ round: number, clockMs: number },
  }),
  fc.record({ type: fc.constant('transfer_answer') }),
  fc.record({ type: fc.constant('read_answer'), index: fc.option(number), master: fc.option(name) }),
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ask' as const), name, ballot, sender, question }) },
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ do: fc.constant('answer' as const), name, ballot: fc.option(ballot), sender, answer },
      back: fc.nat(6),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const), forMs: fc.nat(2_500) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sync' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('agree' as const), name, behind: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('win' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('propose' as const), payload }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('read' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ do: fc.constant('change' as const), name },
      type: fc.constantFrom('add' as const, 'remove' as const, 'foreign' as const, 'safe' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('transfer' as const), name: fc.option(name) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function votersOnly(names: readonly string[]): Configuration {
  return {
    members: names.map((each) => ({ name: each, storage: `${each}1`, role: 'voter', knows: { put: 1 } })),
  };
}

function sorted(numbers: readonly number[]): readonly number[] {
  return [...numbers].sort((left, right) => left - right);
}

function entry(index: number, ballot: number, payload: unknown): Entry {
  return { index, ballot, payload } as Entry;
}

/** A log as a master of good faith left it. */
const restored = fc
  .record({ length: fc.nat(6), ballot: fc.integer({ min: 1, max: 4 }), muted: fc.boolean(), base: fc.nat(4) })
  .map(({ length, ballot: last, muted, base }): Restored => {
    const members = votersOnly(NAMES.slice(0, 3));
    const payloads = [{ type: 'members', configuration: members }, ...Array(length).fill({ type: 'noop' })];
    const all = payloads.map((each, at) => entry(at + 1, Math.min(at + 1, last), each));
    const at = all[base - 1];
    const state = new Uint8Array(400);
    const snapshot =
      at === undefined
        ? null
        : { index: base, ballot: at.ballot, configuration: members, requests: [], state };
    return {
      ...{ promise: { ballot: last, votedFor: null }, incarnation: 'cluster', muted, snapshot },
      entries: snapshot === null ? all : all.slice(base),
    };
  });
const blank: Restored = {
  ...{ promise: { ballot: 0, votedFor: null }, snapshot: null, entries: [] },
  ...{ incarnation: null, muted: false },
};

/** One replica, driven as its driver would. */
class Victim {
  readonly replica: Replica;
  #nowMs = 0;
  #id = 0;
  #token = 0;
  #asked: Envelope[] = [];

  constructor(from: Restored, draw: number) {
    const facts = { name: 'a', storage: 'a1', knows: { put: 1 }, settings: SETTINGS, startMs: 0 };
    let drawn = draw + 1;
    const random = () => {
      drawn = (drawn * 48_271) % 2_147_483_647;
      return drawn / 2_147_483_647;
    };
    this.replica = new Replica({ ...facts, random, restored: from });
    this.#note(this.replica.take());
  }

  do(each: Step): void {
    const { replica } = this;
    const id = ++this.#id;
    replica.tick(this.#nowMs);
    if (each.do === 'tick') this.#pass(each.forMs);
    else if (each.do === 'sync') replica.persisted(this.#token);
    else if (each.do === 'agree') this.#agree(each.name, each.behind);
    else if (each.do === 'win') this.#win();
    else if (each.do === 'compact') this.#compact();
    else if (each.do === 'read') replica.read(id);
    else if (each.do === 'transfer') replica.transfer(id, each.name);
    else if (each.do === 'change') replica.changeMember(id, { type: each.type, name: each.name });
    else if (each.do === 'propose' && each.payload.type === 'changes') replica.propose(id, each.payload);
    else if (each.do === 'ask') {
      const head = { call: id, ballot: each.ballot, sender: each.sender };
      replica.receive(each.name, { ...head, ...each.question } as unknown as Message);
    } else if (each.do === 'answer') this.#answer(each);
    this.#note(replica.take());
  }

  /** To what was really asked, if anything was: answers to nothing are ignored soon. */
  #answer({
    name: from,
    ballot: said,
    sender: of,
    answer: body,
    back,
  }: Extract<Step, { do: 'answer' }>): void {
    const asked = this.#asked.filter(({ to }) => to === from).at(-1 - back);
    const head = { call: asked?.message.call ?? 1, ballot: said ?? this.replica.ballot, sender: of };
    this.replica.receive(from, { ...head, ...body } as unknown as Message);
  }

  /** What `from` would say in good faith to all that it was asked: without it nobody is ever a master. */
  #agree(from: string, behind = false): void {
    const questions = this.#asked.filter(({ to }) => to === from);
    this.#asked = this.#asked.filter(({ to }) => to !== from);
    for (const { message } of questions) {
      const of = { incarnation: 'cluster', storage: `${from}1`, run: 1, knows: { put: 1 }, muted: false };
      const head = { call: message.call, ballot: message.ballot, sender: of, granted: true, clockMs: 1 };
      const body = bodyOf(message, behind);
      if (body !== null) this.replica.receive(from, { ...head, ...body } as unknown as Message);
    }
  }

  #pass(forMs: number): void {
    this.#nowMs += forMs;
    this.replica.tick(this.#nowMs);
  }

  #win(): void {
    for (let round = 0; round < 3; round++) {
      if (round === 0) this.#pass(2_500);
      this.#note(this.replica.take());
      this.replica.persisted(this.#token);
      for (const from of NAMES.slice(1)) this.#agree(from);
    }
  }

  #compact(): void {
    const { appliedIndex } = this.replica;
    if (appliedIndex === 0) return;
    this.replica.compacted({ ...this.replica.describe(appliedIndex), state: new Uint8Array(300) });
  }

  #note({ send, sendAfter, sendAfterToken, commit }: Output): void {
    this.#token = sendAfterToken;
    this.#asked.push(...send, ...sendAfter);
    this.#asked.splice(0, this.#asked.length - 64);
    for (const { index } of commit) expect(index).toBeLessThanOrEqual(this.replica.commitIndex);
  }
}

/** The answer in good faith; null: it is none that is asked for. */
function bodyOf(message: Message, behind: boolean): object | null {
  switch (message.type) {
    case 'pre_vote':
    case 'vote':
      return { type: `${message.type}_answer` };
    case 'append': {
      const matchIndex = behind ? 0 : message.prevIndex + message.entries.length;
      return { type: 'append_answer', granted: !behind, matchIndex, matchBallot: 0, round: message.round };
    }
    case 'snapshot': {
      const { index, totalBytes, round, piece } = message;
      const offset = message.offset + piece.length;
      return { type: 'snapshot_answer', index, offset, installed: offset === totalBytes, round };
    }
    default:
      return null;
  }
}

it('throws for nothing that members send, true or false', { timeout: 120_000 }, () => {
  const beginning = fc.oneof(
    { weight: 4, arbitrary: restored },
    { weight: 1, arbitrary: fc.constant(blank) },
  );
  const steps = fc.array(step, { minLength: 10, maxLength: 80 });
  fc.assert(
    fc.property(beginning, fc.nat(1_000), steps, (from, draw, all) => {
      const victim = new Victim(from, draw);
      for (const each of all) victim.do(each);
    }),
    { numRuns: 2_000 },
  );
});
