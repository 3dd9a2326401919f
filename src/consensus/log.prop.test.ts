/** The window of entries against a plain list of all entries that there ever were. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Log, payloadBytes } from './log.ts';
import type { Configuration, Entry, Snapshot } from './types.ts';

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('append' as const), rise: fc.nat(2), members: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('truncate' as const), back: fc.nat(4) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('compact' as const), back: fc.nat(6), kept: fc.nat(1_000) }),
  },
);

function configuration(name: string): Configuration {
  return { members: [{ name, storage: name, role: 'voter', knows: {} }] };
}

/** Everything that a log was told, and what it must therefore answer. */
class Twin {
  entries: Entry[] = [];
  snapshotIndex = 0;
  readonly log = new Log(null, []);

  append(rise: number, members: boolean): void {
    const index = this.entries.length + 1;
    const ballot = (this.entries.at(-1)?.ballot ?? 1) + rise;
    const entry: Entry = members
      ? { index, ballot, payload: { type: 'members', configuration: configuration(`m${index}`) } }
      : { index, ballot, payload: { type: 'noop' } };
    this.entries.push(entry);
    this.log.append(entry);
  }

  truncate(back: number): void {
    const from = Math.max(this.snapshotIndex + 1, this.entries.length - back);
    this.entries.length = Math.min(this.entries.length, from - 1);
    this.log.truncate(from);
  }

  compact(back: number, kept: number): void {
    const index = this.entries.length - back;
    if (index <= this.snapshotIndex) return;
    this.snapshotIndex = index;
    const { ballot } = this.entries[index - 1] as Entry;
    const snapshot: Snapshot = {
      index,
      ballot,
      configuration: this.configurationAt(index),
      requests: [],
      state: new Uint8Array(),
    };
    this.log.compact(snapshot, kept);
    expect(this.log.snapshot).toBe(snapshot);
  }

  configurationAt(index: number): Configuration {
    const found = this.entries.slice(0, index).findLast(({ payload }) => payload.type === 'members');
    return found?.payload.type === 'members' ? found.payload.configuration : { members: [] };
  }

  check(): void {
    const { log, entries } = this;
    expect(log.lastIndex).toBe(entries.length);
    expect(log.lastBallot).toBe(entries.at(-1)?.ballot ?? 0);
    expect(log.baseIndex).toBeLessThanOrEqual(this.snapshotIndex);
    expect(log.configuration).toEqual(this.configurationAt(entries.length));
    expect(log.from(log.baseIndex + 1)).toEqual(entries.slice(log.baseIndex));
    for (let index = log.baseIndex; index <= log.lastIndex; index++) {
      expect(log.ballotAt(index)).toBe(entries[index - 1]?.ballot ?? 0);
      expect(log.configurationAt(index)).toEqual(this.configurationAt(index));
      expect(log.holds(index, log.ballotAt(index))).toBe(true);
      for (const ballot of [0, 1, 2, 5, 9])
        expect(log.lastUpTo(index, ballot)).toBe(this.#lastUpTo(index, ballot));
    }
    expect(log.holds(log.lastIndex + 1, log.lastBallot)).toBe(false);
  }

  #lastUpTo(index: number, ballot: number): number {
    for (let at = index; at > this.log.baseIndex; at--) {
      if ((this.entries[at - 1] as Entry).ballot <= ballot) return at;
    }
    return this.log.baseIndex;
  }
}

it('answers as the whole list would, as far as it reaches back', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const twin = new Twin();
      for (const each of steps) {
        if (each.type === 'append') twin.append(each.rise, each.members);
        else if (each.type === 'truncate') twin.truncate(each.back);
        else twin.compact(each.back, each.kept);
        twin.check();
      }
    }),
  );
});

it('cuts batches by bytes, and never to nothing', () => {
  const changes = (bytes: number, index: number): Entry => ({
    index,
    ballot: 1,
    payload: { type: 'changes', kind: 'put', version: 1, requestId: null, changes: [new Uint8Array(bytes)] },
  });
  fc.assert(
    fc.property(fc.array(fc.nat(300), { minLength: 1, maxLength: 20 }), fc.nat(1_000), (sizes, bytesMax) => {
      const entries = sizes.map((size, at) => changes(size, at + 1));
      const log = new Log(null, entries);
      for (let from = 1; from <= log.lastIndex; ) {
        const batch = log.batch(from, bytesMax);
        const weight = batch.entries.reduce((sum, { payload }) => sum + payloadBytes(payload), 0);
        expect(batch.bytes).toBe(weight);
        expect(batch.entries.length).toBeGreaterThan(0);
        if (batch.entries.length > 1) expect(weight).toBeLessThanOrEqual(bytesMax);
        expect(batch.entries).toEqual(entries.slice(from - 1, from - 1 + batch.entries.length));
        from += batch.entries.length;
      }
      expect(log.batch(log.lastIndex + 1, bytesMax)).toEqual({ entries: [], bytes: 0 });
    }),
  );
});

it('remembers the configuration before the latest one', () => {
  const twin = new Twin();
  expect(twin.log.previousConfiguration).toEqual({ members: [] });
  twin.append(0, true);
  twin.append(0, false);
  twin.append(0, true);
  expect(twin.log.previousConfiguration).toEqual(configuration('m1'));
  expect(twin.log.configurationIndex).toBe(3);
});

it('refuses gaps, falling ballots, and to lose what a snapshot covers', () => {
  const log = new Log(null, [{ index: 1, ballot: 4, payload: { type: 'noop' } }]);
  expect(() => log.append({ index: 3, ballot: 4, payload: { type: 'noop' } })).toThrow('no gaps');
  expect(() => log.append({ index: 2, ballot: 3, payload: { type: 'noop' } })).toThrow('never fall');
  const state = new Uint8Array();
  log.reset({ index: 9, ballot: 5, configuration: configuration('a'), requests: [], state });
  expect(() => log.truncate(9)).toThrow('stays');
  expect(() => log.entryAt(9)).toThrow('window');
  expect(() => log.batch(9, 100)).toThrow('gone');
});
