/** What is said to be durable against a disk that is read again after every step. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Log } from './log.ts';
import { Saving } from './saving.ts';
import { FakeDisk } from './testdata/cluster.ts';
import type { Entry } from './types.ts';

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('append' as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('replace' as const), back: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('snapshot' as const), ahead: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('promise' as const) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('take' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('sync' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

class Twin {
  readonly log = new Log(null, []);
  readonly saving = new Saving(0);
  readonly disk = new FakeDisk();
  #ballot = 1;

  do(each: Step): void {
    const { log, saving, disk } = this;
    if (each.type === 'append') for (let count = 0; count < each.count; count++) this.#append();
    else if (each.type === 'replace') this.#replace(each.back);
    else if (each.type === 'promise') saving.notePromise({ ballot: this.#ballot, votedFor: null });
    else if (each.type === 'take') {
      const persist = saving.take(log);
      if (persist !== null) disk.pending.push(persist);
    } else if (each.type === 'sync') {
      const pending = disk.pending[Math.floor(each.share * (disk.pending.length - 1))];
      if (pending === undefined) return;
      disk.sync(pending.token);
      saving.persisted(pending.token);
    } else {
      const index = log.lastIndex + each.ahead;
      const snapshot = { index, ballot: ++this.#ballot, configuration: { members: [] }, requests: [] };
      log.reset({ ...snapshot, state: new Uint8Array() });
      saving.noteSnapshot({ ...snapshot, state: new Uint8Array() });
    }
  }

  /** Whatever is called durable is on the disk, as it is in the log. */
  check(): void {
    const { log, saving } = this;
    const { snapshot, entries } = this.disk.synced;
    for (let index = log.baseIndex + 1; index <= Math.min(saving.durableIndex, log.lastIndex); index++) {
      expect(entries.find((entry) => entry.index === index)).toEqual(log.entryAt(index));
    }
    expect(saving.durableIndex).toBeLessThanOrEqual(log.lastIndex);
    if (saving.durableIndex > 0) expect(snapshot?.index ?? 0).toBe(log.snapshot?.index ?? 0);
  }

  #append(): void {
    const entry: Entry = { index: this.log.lastIndex + 1, ballot: this.#ballot, payload: { type: 'noop' } };
    this.log.append(entry);
    this.saving.noteEntries(entry.index);
  }

  #replace(back: number): void {
    const from = Math.max(this.log.baseIndex + 1, this.log.lastIndex - back);
    this.log.truncate(from);
    this.saving.noteEntries(from);
    this.#ballot++;
    this.#append();
  }
}

it('calls durable only what the disk has, and all of it in the end', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const twin = new Twin();
      for (const each of steps) {
        twin.do(each);
        twin.check();
      }
      twin.do({ type: 'take' });
      twin.do({ type: 'sync', share: 1 });
      twin.check();
      expect(twin.saving.durableIndex).toBe(twin.log.lastIndex);
      expect(twin.saving.durableToken).toBe(twin.saving.token);
    }),
  );
});

it('counts tokens up, gives nothing out twice, and takes no confirmation of what was never written', () => {
  const saving = new Saving(0);
  const log = new Log(null, []);
  expect(saving.tokenOfNotes(log)).toBe(0);
  saving.noteIncarnation('cluster');
  saving.noteMuted(true);
  expect(saving.tokenOfNotes(log)).toBe(1);
  expect(saving.take(log)).toEqual({
    token: 1,
    promise: null,
    entries: [],
    snapshot: null,
    incarnation: 'cluster',
    muted: true,
  });
  expect(saving.take(log)).toBeNull();
  saving.persisted(1);
  saving.persisted(1);
  expect(() => saving.persisted(2)).toThrow('what it was given');
});
