/**
 * Whatever a worker did and wherever it was killed: the next run owes exactly what the readable
 * part of the file has opened and not closed.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { MemoryDisk, systemError } from '../../../test/fakes/memory-disk.ts';
import type { ConnectionId, SessionKey } from '../../base/index.ts';
import { adoptJournals } from './adopt.ts';
import { JournalWriter } from './journal-writer.ts';

const NAMES = 12;
const OLD = '/d/0.1.boot.journal';

type Step =
  | { readonly do: 'open' | 'closing' | 'closed'; readonly name: number }
  | { readonly do: 'end turn' }
  | { readonly do: 'disk'; readonly takes: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constantFrom('open', 'closing', 'closed'), name: fc.nat(NAMES - 1) }),
    },
    { weight: 4, arbitrary: fc.constant({ do: 'end turn' }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('disk'), takes: fc.nat(120) }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 120 },
);

/** A worker, and beside it what the durable part of its journal has to mean. */
class World {
  readonly disk = new MemoryDisk();
  readonly time = new FakeTime();
  readonly journal: JournalWriter;
  /** State after each byte count at which the file was whole: the reader may find any of them. */
  readonly states = new Map<number, string>();
  /** Connection ids are never used twice, so each name counts its lives. */
  #lives = new Map<number, number>();
  #open = new Map<string, string>();

  constructor() {
    const logger = new CollectedLog();
    const base = { disk: this.disk, path: OLD, bootId: 'boot', slot: 0, run: 1, timers: this.time, logger };
    this.journal = new JournalWriter({ ...base, compactBytes: 3_000 });
  }

  take(step: Step): void {
    if (step.do === 'end turn') return this.#endTurn();
    if (step.do === 'disk') return this.#limitDisk(step.takes);
    const connection = `${step.name}.${this.#lives.get(step.name) ?? 0}` as ConnectionId;
    if (step.do === 'closing' && this.#open.has(connection)) {
      this.journal.closing(connection, { reason: 'client', code: 1000 });
      if (this.#open.get(connection) === 'worker_lost') this.#open.set(connection, 'client');
    } else if (step.do === 'closed') {
      this.journal.closed(connection);
      this.#open.delete(connection);
    } else if (step.do === 'open' && !this.#open.has(connection)) {
      this.#openNext(step.name);
    }
  }

  #openNext(name: number): void {
    const life = (this.#lives.get(name) ?? 0) + 1;
    this.#lives.set(name, life);
    const connection = `${name}.${life}` as ConnectionId;
    this.#open.set(connection, 'worker_lost');
    this.journal.opened({ connection, key: `k${name}` as SessionKey, openedAtMs: 1 }, (failure) => {
      if (failure !== null) this.#open.delete(connection);
    });
  }

  /** The disk takes so many bytes and then is full until the turn has ended. */
  #limitDisk(takes: number): void {
    let left = takes;
    this.disk.onWrite = (length) => {
      if (left === 0) return systemError('ENOSPC');
      const count = Math.min(left, length);
      left -= count;
      return count;
    };
  }

  #endTurn(): void {
    this.time.endTurn();
    this.disk.onWrite = () => 'all';
    // A second turn writes whatever the first one had to keep.
    this.journal.flush();
    this.states.set((this.disk.files.get(OLD) ?? []).length, describeState(this.#open));
  }
}

function describeState(open: ReadonlyMap<string, string>): string {
  return [...open]
    .map(([connection, reason]) => `${connection} ${reason}`)
    .sort()
    .join(', ');
}

function adopted(bytes: Uint8Array): string {
  const disk = new MemoryDisk();
  disk.files.set(OLD, bytes);
  const logger = new CollectedLog();
  const path = '/d/0.2.boot.journal';
  const journal = new JournalWriter({
    disk,
    path,
    bootId: 'boot',
    slot: 0,
    run: 2,
    timers: new FakeTime(),
    logger,
  });
  const { owed, damaged } = adoptJournals({ disk, paths: [OLD], journal, bootId: 'boot', logger });
  expect(damaged).toEqual([]);
  return describeState(new Map(owed.map((close) => [close.connection, close.reason])));
}

/** A second, plainer reading of the format: what the whole records of `bytes` leave open. */
function openIn(bytes: Uint8Array): Map<string, string> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open = new Map<string, string>();
  let at = 0;
  while (at + 12 <= bytes.length && at + 12 + view.getUint32(at, true) <= bytes.length) {
    const end = at + 12 + view.getUint32(at, true);
    const record = JSON.parse(new TextDecoder().decode(bytes.subarray(at + 12, end)));
    if (record.type === 'opened') open.set(record.connection, 'worker_lost');
    if (record.type === 'closing') open.set(record.connection, record.reason);
    if (record.type === 'closed') open.delete(record.connection);
    at = end;
  }
  return open;
}

it('finds what is open after any work and any failures of the disk', () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const world = new World();
      for (const step of taken) world.take(step);
      world.take({ do: 'end turn' });
      const bytes = world.disk.files.get(OLD) ?? new Uint8Array(0);
      expect(adopted(bytes)).toBe(world.states.get(bytes.length));
    }),
    { numRuns: 300 },
  );
});

it('finds what is open in the whole records of a file that is cut anywhere', () => {
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), (taken, where) => {
      const world = new World();
      let compacted = false;
      let longest = 0;
      for (const step of [...taken, { do: 'end turn' } as const]) {
        world.take(step);
        const length = (world.disk.files.get(OLD) ?? []).length;
        compacted ||= length < longest;
        longest = Math.max(longest, length);
      }
      fc.pre(!compacted);
      const bytes = world.disk.files.get(OLD) ?? new Uint8Array(0);
      const cut = bytes.slice(0, Math.floor(where * bytes.length));
      expect(adopted(cut)).toBe(describeState(openIn(cut)));
      for (const [length, state] of world.states) expect(adopted(bytes.slice(0, length))).toBe(state);
    }),
    { numRuns: 100 },
  );
});
