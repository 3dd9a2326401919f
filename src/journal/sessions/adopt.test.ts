/** What earlier runs owe is found once, survives a crash at any point, and outlives damage. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { MemoryDisk, systemError } from '../../../test/fakes/memory-disk.ts';
import { type ConnectionId, LIMITS, type SessionKey } from '../../base/index.ts';
import { adoptJournals } from './adopt.ts';
import { JournalWriter } from './journal-writer.ts';
import { encodeRecords } from './record-codec.ts';
import type { OwedClose } from './session-journal.ts';

const OLD = '/d/0.1.boot.journal';
const NEW = '/d/0.2.boot.journal';
let disk: MemoryDisk;
let time: FakeTime;
let log: CollectedLog;

beforeEach(() => {
  disk = new MemoryDisk();
  time = new FakeTime();
  log = new CollectedLog();
});

const id = (name: string) => name as ConnectionId;

function makeJournal(path: string, bootId = 'boot'): JournalWriter {
  return new JournalWriter({ disk, path, bootId, slot: 0, run: 1, timers: time, logger: log });
}

function open(journal: JournalWriter, ...names: string[]): void {
  for (const name of names) {
    journal.opened({ connection: id(name), key: `key ${name}` as SessionKey, openedAtMs: 7 }, () => {});
  }
  journal.flush();
}

function adopt(paths: string[], journal = makeJournal(NEW)) {
  return adoptJournals({ disk, paths, journal, bootId: 'boot', logger: log });
}

const brief = (owed: readonly OwedClose[]) =>
  owed.map((close) => `${close.connection} ${close.reason} ${close.code}`);

describe('adopting journals', () => {
  it('owes what was opened and not closed, with the reason that was noted', () => {
    const old = makeJournal(OLD);
    open(old, 'a', 'b', 'c');
    old.closing(id('b'), { reason: 'slow', code: 1013 });
    old.closed(id('c'));
    old.flush();
    const journal = makeJournal(NEW);
    const { owed, damaged } = adopt([OLD], journal);
    expect(brief(owed)).toEqual(['a worker_lost 1006', 'b slow 1013']);
    expect(owed[0]?.key).toBe('key a');
    expect(damaged).toEqual([]);
    expect([...disk.files.keys()]).toEqual([NEW]);
    expect(journal.liveCount).toBe(2);
  });

  it('owes what was only asked for, without a key, because the answer may have been yes', () => {
    const old = makeJournal(OLD);
    for (const name of ['yes', 'no', 'unheard']) old.asked(id(name), () => {});
    old.flush();
    open(old, 'yes');
    old.closed(id('no'));
    old.flush();
    const { owed } = adopt([OLD]);
    expect(owed).toMatchObject([
      { connection: 'yes', key: 'key yes', reason: 'worker_lost' },
      { connection: 'unheard', key: null, reason: 'worker_lost', code: 1006 },
    ]);
    // Whoever comes after us owes the same.
    expect(adopt([NEW], makeJournal('/d/0.3.boot.journal')).owed).toEqual(owed);
  });

  it('owes a yes that came after it was given up on', () => {
    const old = makeJournal(OLD);
    old.asked(id('late'), () => {});
    old.closed(id('late'));
    open(old, 'late');
    expect(adopt([OLD]).owed).toMatchObject([{ connection: 'late', key: 'key late' }]);
  });

  it('tells a lost worker from a restarted node by the boot', () => {
    open(makeJournal('/d/0.1.earlier.journal', 'earlier'), 'a');
    open(makeJournal(OLD), 'b');
    expect(brief(adopt(['/d/0.1.earlier.journal', OLD]).owed)).toEqual([
      'a node_restarted 1006',
      'b worker_lost 1006',
    ]);
  });

  it('hands on what it could not finish, with the first reason, until it is closed', () => {
    open(makeJournal('/d/0.1.earlier.journal', 'earlier'), 'a', 'b');
    adopt(['/d/0.1.earlier.journal'], makeJournal(OLD));
    const second = makeJournal(NEW);
    expect(brief(adopt([OLD], second).owed)).toEqual(['a node_restarted 1006', 'b node_restarted 1006']);
    second.closed(id('a'));
    second.flush();
    expect(brief(adopt([NEW], makeJournal('/d/0.3.boot.journal')).owed)).toEqual(['b node_restarted 1006']);
  });

  it('owes a connection once, whatever number of files know it', () => {
    open(makeJournal('/d/0.1.earlier.journal', 'earlier'), 'a', 'b');
    const copy = new Map(disk.files);
    const interrupted = makeJournal(OLD);
    adopt(['/d/0.1.earlier.journal'], interrupted);
    interrupted.closed(id('b'));
    interrupted.flush();
    // As if the adopted file had refused to go away.
    for (const [path, bytes] of copy) disk.files.set(path, bytes);
    for (const paths of [
      ['/d/0.1.earlier.journal', OLD],
      [OLD, '/d/0.1.earlier.journal'],
    ]) {
      const before = new Map(disk.files);
      expect(brief(adopt(paths, makeJournal(`/d/${paths[0]?.length}.journal`)).owed)).toEqual([
        'a node_restarted 1006',
      ]);
      disk.files = before;
    }
  });

  it('notes everything itself before the old file goes, and waits for a full disk to have room', () => {
    open(makeJournal(OLD), 'a');
    disk.onWrite = () => systemError('ENOSPC');
    const journal = makeJournal(NEW);
    expect(brief(adopt([OLD], journal).owed)).toEqual(['a worker_lost 1006']);
    expect(disk.files.has(OLD)).toBe(true);
    disk.onWrite = () => 'all';
    time.advance(LIMITS.journalRetryMs);
    expect([...disk.files.keys()]).toEqual([NEW]);
    expect(brief(adopt([NEW], makeJournal('/d/0.3.boot.journal')).owed)).toEqual(['a worker_lost 1006']);
  });

  it('loses nothing when it is killed at any byte of its own note', () => {
    open(makeJournal(OLD), 'a', 'b', 'c');
    const old = disk.files.get(OLD) as Uint8Array;
    adopt([OLD], makeJournal(NEW));
    const note = disk.files.get(NEW) as Uint8Array;
    for (let length = 0; length <= note.length; length++) {
      disk = new MemoryDisk();
      disk.files.set(OLD, old);
      disk.files.set(NEW, note.slice(0, length));
      const { owed } = adopt([OLD, NEW], makeJournal('/d/0.3.boot.journal'));
      expect(owed.map((close) => close.connection)).toEqual(['a', 'b', 'c']);
    }
  });

  it('removes files that owe nothing', () => {
    const old = makeJournal(OLD);
    open(old, 'a');
    old.closed(id('a'));
    old.flush();
    disk.files.set('/d/empty', new Uint8Array(0));
    expect(adopt([OLD, '/d/empty'])).toEqual({ owed: [], damaged: [] });
    expect(disk.files.size).toBe(0);
  });
});

describe('adopting damaged journals', () => {
  it('uses what is readable, sets the file aside and says so', () => {
    open(makeJournal(OLD), 'a', 'b');
    const bytes = disk.files.get(OLD) as Uint8Array;
    bytes[bytes.length - 1] = 0;
    open(makeJournal('/d/0.0.boot.journal'), 'z');
    const { owed, damaged } = adopt([OLD, '/d/0.0.boot.journal']);
    expect(brief(owed)).toEqual(['a worker_lost 1006', 'z worker_lost 1006']);
    expect(damaged).toEqual([OLD]);
    expect([...disk.files.keys()].sort()).toEqual([`${OLD}.damaged`, NEW].sort());
    expect(log.lines.find((line) => line.level === 'error')?.fields).toMatchObject({
      code: 'JOURNAL_DAMAGED',
    });
  });

  it('believes no records without a header', () => {
    const record = { type: 'opened', connection: id('a'), key: 'k' as SessionKey, openedAtMs: 0 } as const;
    disk.files.set(OLD, encodeRecords([record]));
    expect(adopt([OLD])).toEqual({ owed: [], damaged: [OLD] });
  });

  it('reports a file that cannot be read and goes on with the next', () => {
    open(makeJournal(OLD), 'a');
    const { owed, damaged } = adopt(['/d/gone.journal', OLD]);
    expect(brief(owed)).toEqual(['a worker_lost 1006']);
    expect(damaged).toEqual(['/d/gone.journal']);
    expect(log.messages('error')).toContain('an adopted session journal cannot be put away');
  });
});
