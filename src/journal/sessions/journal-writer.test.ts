/** One write a turn, and a disk that is full, short of breath, or beyond repair for a while. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { MemoryDisk, systemError } from '../../../test/fakes/memory-disk.ts';
import { type ConnectionId, LIMITS, type SessionKey } from '../../base/index.ts';
import { JournalWriter } from './journal-writer.ts';
import { encodeRecords, type JournalRecord, RecordDecoder } from './record-codec.ts';

const PATH = '/data/sessions/0.1.boot.journal';
let disk: MemoryDisk;
let time: FakeTime;
let log: CollectedLog;
let journal: JournalWriter;
let outcomes: string[];

beforeEach(() => {
  disk = new MemoryDisk();
  time = new FakeTime();
  log = new CollectedLog();
  outcomes = [];
  journal = makeJournal();
});

function makeJournal(compactBytes?: number): JournalWriter {
  const base = { disk, path: PATH, bootId: 'boot', slot: 0, run: 1, timers: time, logger: log };
  return new JournalWriter(compactBytes === undefined ? base : { ...base, compactBytes });
}

const id = (name: string | number) => `c${name}` as ConnectionId;

function open(name: string | number): void {
  journal.opened({ connection: id(name), key: `key ${name}` as SessionKey, openedAtMs: 5 }, (failure) => {
    outcomes.push(failure === null ? `c${name}` : `c${name}: ${failure.message}`);
  });
}

function ask(name: string | number): void {
  journal.asked(id(name), (failure) => outcomes.push(failure === null ? `c${name}?` : `c${name}? no`));
}

/** What a reader finds, one word a record, and how the file ends. */
function onDisk(): string[] {
  const decoder = new RecordDecoder();
  const records = decoder.push(disk.files.get(PATH) ?? new Uint8Array(0));
  expect(decoder.ending()).toBe('whole');
  return records.map(describeRecord);
}

function describeRecord(record: JournalRecord): string {
  if (record.type === 'header') return 'header';
  if (record.type === 'closing') return `closing ${record.connection} ${record.reason} ${record.code}`;
  return `${record.type} ${record.connection}`;
}

describe('the journal of a worker run', () => {
  it('touches the disk only when there is something to note', () => {
    expect(disk.files.size).toBe(0);
    journal.flush();
    journal.close();
    expect(disk.files.size).toBe(0);
  });

  it('writes a turn with one call and only then says so, in order', () => {
    open(1);
    open(2);
    journal.closing(id(1), { reason: 'client', code: 1000 });
    journal.closed(id(1));
    expect([disk.writes, outcomes]).toEqual([0, []]);
    time.endTurn();
    expect([disk.writes, outcomes]).toEqual([1, ['c1', 'c2']]);
    expect(onDisk()).toEqual(['header', 'opened c1', 'opened c2', 'closing c1 client 1000', 'closed c1']);
    expect(journal.liveCount).toBe(1);
  });

  it('notes that the application is asked, and what became of it', () => {
    ask(1);
    ask(2);
    time.endTurn();
    expect(outcomes).toEqual(['c1?', 'c2?']);
    open(1);
    journal.closed(id(2));
    time.endTurn();
    expect(onDisk()).toEqual(['header', 'asked c1', 'asked c2', 'opened c1', 'closed c2']);
    expect(journal.liveCount).toBe(1);
  });

  it('gives the header to the first turn alone', () => {
    for (const name of [1, 2, 3]) {
      open(name);
      time.endTurn();
    }
    expect(onDisk()).toEqual(['header', 'opened c1', 'opened c2', 'opened c3']);
  });

  it('flushes at once when asked, and not again at the end of the turn', () => {
    open(1);
    journal.flush();
    expect([disk.writes, outcomes]).toEqual([1, ['c1']]);
    time.endTurn();
    expect(disk.writes).toBe(1);
  });

  it('lets a callback note more, which goes with the next turn', () => {
    journal.opened({ connection: id('a'), key: 'k' as SessionKey, openedAtMs: 0 }, () => open('b'));
    time.endTurn();
    expect(onDisk()).toEqual(['header', 'opened ca', 'opened cb']);
  });

  it('keeps the first reason and ignores what it does not know', () => {
    open(1);
    journal.closing(id(1), { reason: 'slow', code: 1013 });
    journal.closing(id(1), { reason: 'client', code: 1000 });
    journal.closing(id('stranger'), { reason: 'client', code: 1000 });
    journal.closed(id('stranger'));
    time.endTurn();
    expect(onDisk()).toEqual(['header', 'opened c1', 'closing c1 slow 1013']);
  });

  it('goes on where the disk stopped after a few bytes', () => {
    disk.onWrite = () => 3;
    open(1);
    open(2);
    time.endTurn();
    expect(onDisk()).toEqual(['header', 'opened c1', 'opened c2']);
    expect(outcomes).toEqual(['c1', 'c2']);
  });
});

describe('a disk that fails', () => {
  /** Lets `taken` bytes through and then fails every write. */
  function fillUp(taken: number): void {
    let left = taken;
    disk.onWrite = (length) => {
      if (left === 0) return systemError('ENOSPC');
      const count = Math.min(left, length);
      left -= count;
      return count;
    };
  }

  it('costs the admissions of the turn at any byte, and nothing else', () => {
    open('before');
    time.endTurn();
    const whole = (disk.files.get(PATH) as Uint8Array).length;
    const opened = (name: string): JournalRecord => {
      return { type: 'opened', connection: id(name), key: `key ${name}` as SessionKey, openedAtMs: 5 };
    };
    const batchBytes = encodeRecords([opened('x'), opened('y')]).length;
    for (let taken = 0; taken < batchBytes; taken++) {
      fillUp(taken);
      open('x');
      open('y');
      time.endTurn();
      expect((disk.files.get(PATH) as Uint8Array).length).toBe(whole);
      expect(onDisk()).toEqual(['header', 'opened cbefore']);
    }
    expect(new Set(outcomes.slice(1)).size).toBe(2);
    expect(outcomes[1]).toBe('cx: ENOSPC: the disk says no');
    expect(journal.liveCount).toBe(1);
    disk.onWrite = () => 'all';
    open('after');
    time.endTurn();
    expect(onDisk()).toEqual(['header', 'opened cbefore', 'opened cafter']);
    expect(log.messages('error')).toHaveLength(1);
    expect(log.messages('info')).toEqual(['the session journal can be written again']);
  });

  it('cuts a tail off before the next write when it could not be cut at once', () => {
    open(1);
    time.endTurn();
    fillUp(30);
    disk.onTruncate = () => systemError('EIO');
    open(2);
    time.endTurn();
    disk.onWrite = () => 'all';
    open(3);
    time.endTurn();
    expect(outcomes.slice(1).every((outcome) => outcome.includes('the disk says no'))).toBe(true);
    disk.onTruncate = () => null;
    open(4);
    time.endTurn();
    expect(onDisk()).toEqual(['header', 'opened c1', 'opened c4']);
  });

  it('writes ends of connections later, without being asked', () => {
    open(1);
    time.endTurn();
    disk.onWrite = () => systemError('ENOSPC');
    journal.closing(id(1), { reason: 'client', code: 1000 });
    time.endTurn();
    journal.closed(id(1));
    time.advance(LIMITS.journalRetryMs * 3);
    expect(onDisk()).toEqual(['header', 'opened c1']);
    disk.onWrite = () => 'all';
    time.advance(LIMITS.journalRetryMs);
    expect(onDisk()).toEqual(['header', 'opened c1', 'closing c1 client 1000', 'closed c1']);
    expect(time.pending).toBe(0);
  });

  it('forgets a refused admission with everything that was said about it', () => {
    disk.onWrite = () => systemError('ENOSPC');
    open(1);
    journal.closing(id(1), { reason: 'client', code: 1000 });
    journal.closed(id(1));
    time.endTurn();
    disk.onWrite = () => 'all';
    open(2);
    time.endTurn();
    expect(onDisk()).toEqual(['header', 'opened c2']);
    expect(journal.liveCount).toBe(1);
  });

  it('remembers the end of a refused admission that it was asked for', () => {
    ask(1);
    time.endTurn();
    disk.onWrite = () => systemError('ENOSPC');
    open(1);
    ask(2);
    time.endTurn();
    expect(outcomes).toEqual(['c1?', expect.stringContaining('c1: '), 'c2? no']);
    journal.closing(id(1), { reason: 'not_established', code: 1006 });
    journal.closed(id(1));
    journal.closed(id(2));
    time.endTurn();
    disk.onWrite = () => 'all';
    time.advance(LIMITS.journalRetryMs);
    expect(onDisk()).toEqual(['header', 'asked c1', 'closing c1 not_established 1006', 'closed c1']);
    expect(journal.liveCount).toBe(0);
  });

  it('may fail to create the file, and creates it later', () => {
    disk.files.set(PATH, new Uint8Array(0));
    open(1);
    time.endTurn();
    expect(outcomes).toEqual(['c1: EEXIST: the disk says no']);
    disk.files.delete(PATH);
    open(2);
    time.endTurn();
    expect(onDisk()).toEqual(['header', 'opened c2']);
  });

  it('that takes no byte and does not say why is a failing disk too', () => {
    disk.onWrite = () => 0;
    open(1);
    time.endTurn();
    expect(outcomes).toEqual(['c1: the disk took no bytes']);
  });
});

describe('compaction', () => {
  const COMPACT_BYTES = 4_000;

  function comeAndGo(count: number): void {
    for (let index = 0; index < count; index++) {
      open(index);
      journal.closing(id(index), { reason: 'client', code: 1000 });
      journal.closed(id(index));
      time.endTurn();
    }
  }

  beforeEach(() => {
    journal = makeJournal(COMPACT_BYTES);
    open('a');
    open('b');
    journal.closing(id('b'), { reason: 'slow', code: 1013 });
    time.endTurn();
  });

  it('keeps the file near its bound and every live connection in it', () => {
    for (let round = 0; round < 20; round++) {
      comeAndGo(10);
      expect((disk.files.get(PATH) as Uint8Array).length).toBeLessThan(COMPACT_BYTES + 1_000);
      expect(onDisk().slice(0, 4)).toEqual(['header', 'opened ca', 'opened cb', 'closing cb slow 1013']);
    }
    open('later');
    time.endTurn();
    expect(onDisk().at(-1)).toBe('opened clater');
    expect([...disk.files.keys()]).toEqual([PATH]);
  });

  it('keeps connections that are only asked for', () => {
    ask('asked');
    comeAndGo(100);
    expect(onDisk().length).toBeLessThan(100);
    expect(onDisk()).toContain('asked casked');
  });

  it('is not worth it while most connections live', () => {
    for (let index = 0; index < 200; index++) open(`live ${index}`);
    time.endTurn();
    expect(disk.writes).toBe(2);
    expect((disk.files.get(PATH) as Uint8Array).length).toBeGreaterThan(COMPACT_BYTES);
  });

  it('that fails leaves the old file, and is tried again when that has doubled', () => {
    // A rewrite is the one write that is longer than a turn of this test.
    disk.onWrite = (length) => (length > 280 ? systemError('ENOSPC') : 'all');
    comeAndGo(60);
    expect(log.messages('warn').length).toBe(2);
    expect((disk.files.get(PATH) as Uint8Array).length).toBeGreaterThan(2 * COMPACT_BYTES);
    expect(onDisk()).toHaveLength(4 + 60 * 3);
    expect([...disk.files.keys()]).toEqual([PATH]);
    disk.onWrite = () => 'all';
    comeAndGo(60);
    expect((disk.files.get(PATH) as Uint8Array).length).toBeLessThan(2 * COMPACT_BYTES);
  });
});

describe('the end of a journal', () => {
  it('flushes, and stays while something is owed', () => {
    open(1);
    journal.close();
    expect(onDisk()).toEqual(['header', 'opened c1']);
    expect(outcomes).toEqual(['c1']);
  });

  it('takes the file along when nothing is owed', () => {
    open(1);
    time.endTurn();
    journal.closed(id(1));
    journal.close();
    expect(disk.files.size).toBe(0);
  });

  it('admits nobody afterwards', () => {
    journal.close();
    open(1);
    expect(outcomes).toEqual([]);
    time.endTurn();
    expect(outcomes).toEqual(['c1: the session journal is closed']);
    expect([disk.files.size, journal.liveCount]).toEqual([0, 0]);
  });
});
