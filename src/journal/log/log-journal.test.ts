/** The journal over a disk in memory: what is given comes back, and a disk that refuses hurts nothing. */
import { describe, expect, it } from 'vitest';
import { MemoryDisk, systemError } from './testdata/memory-disk.ts';
import {
  batch,
  entriesOf,
  FOLDER,
  open,
  persist,
  save,
  snapshotOf,
  tryToOpen,
} from './testdata/open-journal.ts';

const PROMISE = { ballot: 3, votedFor: 'http://a' };

describe('a journal', () => {
  it('is empty at first, and has the same id at every start', () => {
    const disk = new MemoryDisk();
    const { restored, storage } = open(disk);
    expect(restored).toEqual({
      promise: { ballot: 0, votedFor: null },
      snapshot: null,
      entries: [],
      incarnation: null,
      muted: false,
    });
    expect(restored.earlier).toBeUndefined();
    expect(storage).toMatch(/^[0-9a-f]{32}$/);
    expect(open(disk.afterKill()).storage).toBe(storage);
  });

  it('gives back everything that it was given', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    persist(journal, { promise: PROMISE, incarnation: 'i', muted: true });
    persist(journal, { entries: entriesOf(1, 2, ['a', 'b', 'c']) });
    persist(journal, {
      promise: { ballot: 4, votedFor: null },
      entries: entriesOf(3, 4, ['d']),
      muted: false,
    });
    expect(open(disk.afterPowerCut(() => false)).restored).toEqual({
      promise: { ballot: 4, votedFor: null },
      snapshot: null,
      entries: [...entriesOf(1, 2, ['a', 'b']), ...entriesOf(3, 4, ['d'])],
      incarnation: 'i',
      muted: false,
    });
  });

  it('goes through many segments and lets those go that a snapshot stands for', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    persist(journal, { promise: PROMISE, incarnation: 'i' });
    const texts = Array.from({ length: 200 }, (_, place) => `${place}-`.repeat(50));
    for (let place = 0; place < texts.length; place++) {
      persist(journal, { entries: entriesOf(place + 1, 3, [texts[place] as string]) });
    }
    const before = disk.list(FOLDER).filter((name) => name.endsWith('.log')).length;
    expect(before).toBeGreaterThan(10);
    save(journal, snapshotOf(150, 3, 'state'));
    const after = disk.list(FOLDER).filter((name) => name.endsWith('.log')).length;
    expect(after).toBeLessThan(before / 2);
    const { restored } = open(disk.afterPowerCut(() => false));
    expect(restored).toMatchObject({ promise: PROMISE, incarnation: 'i', muted: false });
    expect(restored.snapshot).toEqual(snapshotOf(150, 3, 'state'));
    expect(restored.entries).toEqual(entriesOf(151, 3, texts.slice(150)));
    expect(restored.earlier?.length).toBeGreaterThanOrEqual(3);
    expect(restored.earlier?.at(-1)?.index).toBe(150);
  });

  it('puts a received snapshot in the place of the whole log', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    persist(journal, { promise: PROMISE, entries: entriesOf(1, 2, ['a', 'b', 'c']) });
    persist(journal, { snapshot: snapshotOf(9, 3, 'nine'), entries: entriesOf(10, 3, ['d']) });
    persist(journal, { snapshot: snapshotOf(20, 3, 'twenty') });
    expect(journal.bytesSinceSnapshot).toBeLessThan(1_024);
    const { restored } = open(disk.afterPowerCut(() => false));
    expect(restored).toMatchObject({ snapshot: snapshotOf(20, 3, 'twenty'), entries: [], promise: PROMISE });
    expect(restored.earlier).toBeUndefined();
    expect(disk.list(FOLDER).filter((name) => name.endsWith('.snapshot'))).toHaveLength(1);
  });

  it('writes what comes during a sync as one record, and calls back in order', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    const writes: number[] = [];
    disk.onStep = ({ call }) => {
      if (call === 'write') writes.push(1);
      return null;
    };
    disk.holdSyncs = true;
    const said: string[] = [];
    for (let place = 1; place <= 5; place++) {
      const entries = entriesOf(place, 1, [`e${place}`]);
      journal.persist(batch({ entries }), (error) => said.push(`${place} ${error}`));
    }
    expect([writes.length, disk.syncsHeld, said.length]).toEqual([1, 1, 0]);
    disk.finishSync();
    expect([writes.length, disk.syncsHeld, said]).toEqual([2, 1, ['1 null']]);
    disk.finishSync();
    expect(said).toEqual(['1 null', '2 null', '3 null', '4 null', '5 null']);
  });

  it('makes room for a batch that is larger than a segment', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    const entries = entriesOf(1, 1, ['x'.repeat(50_000), 'y'.repeat(50_000)]);
    persist(journal, { entries });
    persist(journal, { entries: entriesOf(3, 1, ['z']) });
    expect(open(disk.afterPowerCut(() => false)).restored.entries).toEqual([
      ...entries,
      ...entriesOf(3, 1, ['z']),
    ]);
  });

  it('keeps any text exactly', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    const payload = {
      type: 'changes',
      kind: 'ключ',
      version: 4_294_967_295,
      requestId: '\ud800 half',
      changes: [new Uint8Array(0), new Uint8Array([0, 255])],
    } as const;
    const entries = [
      { index: 1, ballot: Number.MAX_SAFE_INTEGER, payload },
      { index: 2, ballot: 2 ** 40, payload: { ...payload, requestId: null, changes: [] } },
      { index: 3, ballot: 0, payload: { type: 'noop' } },
      {
        index: 4,
        ballot: 1,
        payload: { type: 'members', configuration: snapshotOf(1, 1, '').configuration },
      },
    ] as const;
    persist(journal, { entries, promise: { ballot: 7, votedFor: 'http://\udc00' } });
    const { restored } = open(disk.afterKill());
    expect(restored.entries).toEqual(entries);
    expect(restored.promise.votedFor).toBe('http://\udc00');
  });

  it('refuses what does not continue the log, and goes on with what does', () => {
    const { journal } = open(new MemoryDisk());
    persist(journal, { entries: entriesOf(1, 1, ['a', 'b']) });
    const said: (string | undefined)[] = [];
    journal.persist(batch({ entries: entriesOf(4, 1, ['d']) }), (error) => said.push(error?.message));
    expect(said).toEqual(['the log cannot be continued: entry 4 follows 2']);
    persist(journal, { entries: entriesOf(3, 1, ['c']) });
    save(journal, snapshotOf(2, 1, 's'));
    journal.persist(batch({ entries: entriesOf(2, 1, ['d']) }), (error) => said.push(error?.message));
    journal.saveSnapshot(snapshotOf(9, 1, 's'), (error) => said.push(error?.message));
    expect(said.slice(1)).toEqual([
      'the log cannot be continued: entry 2 is covered by the snapshot at 2',
      'the snapshot is not saved: a snapshot at 9 was made of a log that ends at 3',
    ]);
  });

  it('finishes what it was given before it closes', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    disk.holdSyncs = true;
    const said: string[] = [];
    for (const index of [1, 2]) {
      journal.persist(batch({ entries: entriesOf(index, 1, ['a']) }), () => said.push(`entry ${index}`));
    }
    journal.close(() => said.push('closed'));
    journal.persist(batch({ entries: entriesOf(3, 1, ['a']) }), (error) => said.push(String(error?.message)));
    while (disk.syncsHeld > 0) disk.finishSync();
    expect(said).toEqual([
      'the log cannot be continued: the journal is closed',
      'entry 1',
      'entry 2',
      'closed',
    ]);
    expect(open(disk.afterKill()).restored.entries).toHaveLength(2);
  });
});

describe('a start', () => {
  it('makes durable what it read before it cuts what follows', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    disk.holdSyncs = true;
    journal.persist(batch({ entries: entriesOf(1, 1, ['a']) }), () => {});
    disk.finishSync();
    journal.persist(batch({ entries: entriesOf(2, 1, ['b']) }), () => {});
    const path = `${FOLDER}/00000001.log`;
    const whole = disk.files.get(path) as Uint8Array;
    const end = Math.ceil((whole.findLastIndex((byte) => byte !== 0) + 1) / 512) * 512;
    // The process was killed while it wrote the next record: its header is there, the rest is not.
    const other = disk.afterKill();
    persist(open(other).journal, { entries: entriesOf(3, 1, ['c'.repeat(900)]) });
    const killed = disk.afterKill();
    const torn = (other.files.get(path) as Uint8Array).subarray(end, end + 512);
    killed.open(path, { create: false }).write(end, torn);
    const { restored } = open(killed);
    expect(restored).toMatchObject({ muted: true, entries: entriesOf(1, 1, ['a', 'b']) });
    expect(open(killed.afterPowerCut(() => false)).restored).toEqual(restored);
  });

  it('removes what does not count any more', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    persist(journal, { entries: entriesOf(1, 1, ['a']) });
    for (const name of ['spare.tmp', '00000009.snapshot.tmp', '00000009.snapshot']) {
      disk.open(`${FOLDER}/${name}`, { create: true });
    }
    disk.open(`${FOLDER}/notes.txt`, { create: true });
    open(disk);
    expect(disk.list(FOLDER).sort()).toEqual(['00000001.log', 'identity', 'notes.txt']);
  });
});

describe('a disk that refuses', () => {
  const entries = (first: number) => entriesOf(first, 1, ['x'.repeat(1_000)]);

  it('costs only what it refused: full while a segment is made', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    let full = false;
    disk.onStep = ({ call, path }) =>
      full && call !== 'sync' && path.endsWith('.tmp') ? systemError('ENOSPC') : null;
    const outcomes: (string | null)[] = [];
    let next = 1;
    for (let round = 0; round < 40; round++) {
      full = round >= 10 && round < 20;
      journal.persist(batch({ entries: entries(next) }), (error) => {
        outcomes.push((error as NodeJS.ErrnoException | null)?.code ?? null);
        if (error === null) next++;
      });
    }
    expect(outcomes).toHaveLength(40);
    expect(outcomes.slice(15, 20)).toEqual(Array(5).fill('ENOSPC'));
    expect(outcomes.slice(20)).toEqual(Array(20).fill(null));
    const { restored } = open(disk.afterPowerCut(() => false));
    expect(restored.entries.map(({ index }) => index)).toEqual(
      Array.from({ length: next - 1 }, (_, at) => at + 1),
    );
    expect(restored.muted).toBe(false);
  });

  it.each(['write', 'sync', 'rename', 'syncFolder', 'create'] as const)(
    'at any %s, and then no more',
    (call) => {
      for (let failing = 1; failing <= 12; failing++) {
        const disk = new MemoryDisk();
        const { journal } = open(disk);
        let calls = 0;
        disk.onStep = (step) => (step.call === call && ++calls === failing ? systemError('EIO') : null);
        const kept: number[] = [];
        let next = 1;
        for (let round = 0; round < 30; round++) {
          journal.persist(batch({ entries: entries(next) }), (error) => {
            if (error === null) kept.push(next++);
          });
          if (round === 15) journal.saveSnapshot(snapshotOf(next - 4, 1, 's'), () => {});
          const cut = open(disk.afterPowerCut(() => round % 2 === 0)).restored;
          expect(cut.muted).toBe(false);
          expect(cut.entries.at(-1)?.index ?? 0).toBeGreaterThanOrEqual(next - 1);
        }
        expect(kept.length).toBeGreaterThanOrEqual(28);
      }
    },
  );

  it('is told before anything is done to the folder of another process', () => {
    const disk = Object.assign(new MemoryDisk(), {
      lock: () => {
        throw systemError('EBUSY');
      },
    });
    expect(tryToOpen(disk)).toMatch(/^LOG_DISK_FAILED: .*EBUSY/);
    expect(disk.files.size).toBe(0);
  });
});
