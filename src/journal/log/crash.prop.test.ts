/**
 * Whatever a journal was told, and at whichever step of its disk the power went or the process was
 * killed: the next start opens it, with everything that was acknowledged and nothing that was not given.
 */
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { FakeRandom } from '../../../test/fakes/fake-random.ts';
import type { LogJournal } from './log-journal.ts';
import { appended, installed, type Meaning, meaningOf, NOTHING, snapshotAt } from './testdata/log-model.ts';
import { MemoryDisk, PowerCut } from './testdata/memory-disk.ts';
import { batch, open } from './testdata/open-journal.ts';

vi.setConfig({ testTimeout: 120_000 });

type Op =
  | { readonly do: 'append'; readonly replace: number; readonly count: number; readonly size: number }
  | { readonly do: 'promise' | 'mute' | 'join' | 'sync' | 'save' }
  | { readonly do: 'install'; readonly count: number };

const ops: fc.Arbitrary<Op[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('append' as const),
        replace: fc.nat(3),
        count: fc.integer({ min: 1, max: 4 }),
        size: fc.nat(1_500),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('promise', 'mute', 'join', 'save', 'sync', 'sync'),
      }) as fc.Arbitrary<Op>,
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('install' as const), count: fc.integer({ min: 1, max: 5 }) }),
    },
  ),
  { minLength: 1, maxLength: 40 },
);

/** One life of a process: a journal, and what it may mean when it is over. */
class Life {
  readonly disk: MemoryDisk;
  readonly #journal: LogJournal;
  /** What was given, in order, and how much of it was acknowledged. */
  readonly given: Meaning[];
  acknowledged = 0;
  #named: number;
  /** Up to here nothing is replaced any more: it was acknowledged, and may be in a snapshot. */
  #settled: number;
  #saving = false;

  constructor(disk: MemoryDisk, expected: (found: Meaning) => void, named: number) {
    this.disk = disk;
    const { journal, restored } = open(disk);
    const found = meaningOf(restored);
    expected(found);
    this.#journal = journal;
    this.given = [found];
    this.#named = named;
    this.#settled = restored.snapshot?.index ?? 0;
  }

  get named(): number {
    return this.#named;
  }

  do(op: Op): void {
    const now = this.given.at(-1) as Meaning;
    if (op.do === 'sync') return this.disk.finishSync();
    if (op.do === 'save') return this.#save();
    if (op.do === 'append') {
      const keep = Math.max(this.#settled, now.texts.length - op.replace);
      const texts = Array.from({ length: op.count }, () => `${this.#named++}${'.'.repeat(op.size)}`);
      this.#persist(appended(now, keep, texts));
    } else if (op.do === 'install') {
      const texts = Array.from({ length: now.texts.length + op.count }, () => `${this.#named++}`);
      this.#settled = texts.length;
      this.#persist(installed(now, texts));
    } else if (op.do === 'promise') {
      const next = { ...now, ballot: now.ballot + 1 };
      this.#persist({ batch: batch({ promise: { ballot: next.ballot, votedFor: null } }), next });
    } else if (op.do === 'mute') {
      this.#persist({ batch: batch({ muted: !now.muted }), next: { ...now, muted: !now.muted } });
    } else {
      const incarnation = `i${this.#named++}`;
      this.#persist({ batch: batch({ incarnation }), next: { ...now, incarnation } });
    }
  }

  #persist(step: { readonly batch: Parameters<LogJournal['persist']>[0]; readonly next: Meaning }): void {
    this.given.push(step.next);
    const number = this.given.length - 1;
    this.#journal.persist(step.batch, (error) => {
      if (error instanceof PowerCut) return;
      expect(error).toBeNull();
      expect(number).toBe(this.acknowledged + 1);
      this.acknowledged = number;
    });
  }

  /** Of the part that no later batch replaces. */
  #save(): void {
    const durable = this.given[this.acknowledged] as Meaning;
    const kept = this.given
      .slice(this.acknowledged)
      .every(({ texts }) => durable.texts.every((text, at) => text === texts[at]));
    if (this.#saving || !kept || durable.texts.length < this.#settled) return;
    this.#saving = true;
    this.#settled = durable.texts.length;
    this.#journal.saveSnapshot(snapshotAt(durable, durable.texts.length), (error) => {
      if (!(error instanceof PowerCut)) expect(error).toBeNull();
      this.#saving = false;
    });
  }

  /** Whether a start may find this: acknowledged or given after that; cut, it has to be muted. */
  expect(found: Meaning): void {
    const possible = this.given.slice(this.acknowledged);
    const matches = possible.some(
      (meaning) => same(meaning, found) || (found.muted && same({ ...meaning, muted: true }, found)),
    );
    expect(matches, `${JSON.stringify(found)}\n is none of\n ${JSON.stringify(possible)}`).toBe(true);
  }
}

function same(left: Meaning, right: Meaning): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** Does what it can until the power goes, at the `crashAt`th step of the disk. */
function live(life: Life, taken: readonly Op[], crashAt: number): void {
  let steps = 0;
  life.disk.holdSyncs = true;
  life.disk.onStep = () => (++steps > crashAt ? new PowerCut() : null);
  for (const op of taken) {
    if (steps <= crashAt) life.do(op);
  }
  const isBusyToTheEnd = crashAt % 2 === 1;
  while (!isBusyToTheEnd && steps <= crashAt && life.disk.syncsHeld > 0) life.disk.finishSync();
}

const lives = fc.array(
  fc.record({
    ops,
    crashAt: fc.nat(200),
    killed: fc.boolean(),
    seed: fc.nat(),
    likely: fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
  }),
  { minLength: 1, maxLength: 4 },
);

it('opens after any crash with what was acknowledged', () => {
  const seen = { torn: 0, whole: 0 };
  fc.assert(
    fc.property(lives, (each) => {
      let disk = new MemoryDisk();
      let expected = (found: Meaning): void => expect(found).toEqual(NOTHING);
      let named = 0;
      for (const { ops: taken, crashAt, killed, seed, likely } of each) {
        const life = new Life(disk, expected, named);
        live(life, taken, crashAt);
        named = life.named;
        const random = new FakeRandom(seed);
        disk = killed ? life.disk.afterKill() : life.disk.afterPowerCut(() => random.fraction() < likely);
        expected = (found) => life.expect(found);
        // A start that is itself interrupted changes nothing of what the next one finds.
        const found = meaningOf(open(disk.afterKill()).restored);
        expected(found);
        if (found.muted && !life.given.some(({ muted }) => muted)) seen.torn++;
        else seen.whole++;
      }
    }),
    { numRuns: 400 },
  );
  expect(seen.torn).toBeGreaterThan(10);
  expect(seen.whole).toBeGreaterThan(10);
});

it('opens although starts are interrupted at any step', () => {
  fc.assert(
    fc.property(ops, fc.nat(60), fc.nat(), (taken, crashAt, seed) => {
      const life = new Life(new MemoryDisk(), () => {}, 0);
      live(life, taken, crashAt);
      const random = new FakeRandom(seed);
      let disk = life.disk.afterPowerCut(() => random.fraction() < 0.5);
      for (let stopAt = 0; stopAt < 30; stopAt++) {
        let steps = 0;
        disk.onStep = () => (++steps > stopAt ? new PowerCut() : null);
        try {
          life.expect(meaningOf(open(disk).restored));
        } catch (error) {
          // The refusal is that of a disk without power; anything else fails below.
          if (steps <= stopAt) throw error;
        }
        disk = disk.afterPowerCut(() => random.fraction() < 0.5);
      }
      life.expect(meaningOf(open(disk).restored));
    }),
    { numRuns: 100 },
  );
});
