/** A backup through its file and back, beside a node that works, and what is refused. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FakeRandom } from '../../../test/fakes/fake-random.ts';
import type { Payload } from '../../consensus/index.ts';
import { backupLog } from './backup-log.ts';
import { dumpLog } from './dump-log.ts';
import type { LogDisk } from './log-disk.ts';
import { restoreLog } from './restore-log.ts';
import { MemoryDisk } from './testdata/memory-disk.ts';
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
import { verifyLog } from './verify-log.ts';

const FILE = '/backups/b';
const OTHER = '/other/log';

/** A log of two members: snapshot at 4, entries to 7. */
function makeLog(): { disk: MemoryDisk; journal: ReturnType<typeof open>['journal'] } {
  const disk = new MemoryDisk();
  const { journal, storage } = open(disk);
  const knows = { kv: 1 };
  const members: Payload = {
    type: 'members',
    configuration: {
      members: [
        { name: 'http://a', storage, role: 'voter', knows },
        { name: 'http://b', storage: 'other', role: 'voter', knows },
      ],
    },
  };
  persist(journal, { promise: { ballot: 5, votedFor: 'http://b' }, incarnation: 'old' });
  persist(journal, {
    entries: [{ index: 1, ballot: 1, payload: members }, ...entriesOf(2, 2, ['a', 'b', 'c'])],
  });
  const { configuration } = members as Extract<Payload, { type: 'members' }>;
  save(journal, { ...snapshotOf(4, 2, 'x'.repeat(3_000_000)), configuration });
  persist(journal, { entries: entriesOf(5, 3, ['d', 'e', 'f']) });
  return { disk, journal };
}

function restore(disk: MemoryDisk, name: string | null = null, others: string[] = []) {
  return restoreLog({ disk, folder: OTHER, file: FILE, name, others, random: new FakeRandom(1) });
}

/** The restored log under the name at which the tests open theirs. */
function openRestored(disk: MemoryDisk) {
  const files = [...disk.files].filter(([path]) => path.startsWith(OTHER));
  return open(new MemoryDisk(files.map(([path, bytes]) => [path.replace(OTHER, FOLDER), bytes])));
}

describe('a backup', () => {
  it('becomes the first member of a new cluster, with all that the old one had', () => {
    const { disk } = makeLog();
    const made = backupLog({ disk, folder: FOLDER, file: FILE });
    expect(made).toMatchObject({ ok: true, value: { incarnation: 'old', lastIndex: 7 } });
    const before = open(disk.afterKill());
    const restored = restore(disk);
    expect(restored).toMatchObject({
      ok: true,
      value: { name: 'http://a', lastIndex: 8, left: ['http://b'] },
    });
    const after = openRestored(disk);
    const { storage } = after;
    expect(storage).not.toBe(before.storage);
    expect(after.restored.incarnation).toMatch(/^[0-9a-f]{32}$/);
    expect(isDeepStrictEqual(after.restored.snapshot, before.restored.snapshot)).toBe(true);
    expect(after.restored.entries.slice(0, -1)).toEqual(before.restored.entries);
    const member = { name: 'http://a', storage, role: 'voter', knows: { kv: 1 } };
    const payload = { type: 'members', configuration: { members: [member] } };
    expect(after.restored.entries.at(-1)).toEqual({ index: 8, ballot: 6, payload });
    expect(after.restored.promise).toEqual({ ballot: 6, votedFor: 'http://a' });
    expect(after.restored.muted).toBe(false);
    persist(after.journal, { entries: entriesOf(9, 6, ['g']) });
  });

  it('takes another name for the member, and needs one when it cannot tell', () => {
    const { disk } = makeLog();
    expect(backupLog({ disk, folder: FOLDER, file: FILE }).ok).toBe(true);
    expect(restore(disk, 'http://c')).toMatchObject({
      ok: true,
      value: { name: 'http://c', left: ['http://a', 'http://b'] },
    });
    const bare = new MemoryDisk();
    open(bare);
    expect(backupLog({ disk: bare, folder: FOLDER, file: FILE }).ok).toBe(true);
    expect(restore(bare)).toMatchObject({ ok: false, error: { code: 'LOG_BACKUP_UNUSABLE' } });
    expect(restore(bare, 'http://c').ok).toBe(true);
    expect(openRestored(bare).restored.entries).toHaveLength(1);
  });

  it('has others join with empty folders, without a vote', () => {
    const { disk } = makeLog();
    expect(backupLog({ disk, folder: FOLDER, file: FILE }).ok).toBe(true);
    const restored = restore(disk, null, ['http://c', 'http://a', 'http://c']);
    expect(restored).toMatchObject({ ok: true, value: { left: ['http://b'] } });
    const { storage, restored: found } = openRestored(disk);
    expect(found.entries.at(-1)?.payload).toEqual({
      type: 'members',
      configuration: {
        members: [
          { name: 'http://a', storage, role: 'voter', knows: { kv: 1 } },
          { name: 'http://c', storage: null, role: 'learner', knows: {} },
        ],
      },
    });
  });

  it('is not restored over anything', () => {
    const { disk } = makeLog();
    expect(backupLog({ disk, folder: FOLDER, file: FILE }).ok).toBe(true);
    disk.open(`${OTHER}/notes`, { create: true });
    const before = disk.files;
    expect(restore(disk)).toMatchObject({ ok: false, error: { code: 'LOG_FOLDER_TAKEN' } });
    expect([...disk.files.keys()]).toEqual([...before.keys()]);
  });

  it('is refused when any byte of it is wrong, or any part is missing', () => {
    const disk = new MemoryDisk();
    const { journal } = open(disk);
    persist(journal, { promise: { ballot: 1, votedFor: null }, entries: entriesOf(1, 1, ['a', 'b']) });
    save(journal, snapshotOf(1, 1, 'state'));
    expect(backupLog({ disk, folder: FOLDER, file: FILE }).ok).toBe(true);
    const bytes = disk.files.get(FILE) as Uint8Array;
    const tryIt = (damaged: Uint8Array) => restore(new MemoryDisk([[FILE, damaged]]), 'http://a');
    expect(tryIt(bytes).ok).toBe(true);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] as number) ^ 0xff;
      expect(tryIt(flipped)).toMatchObject({ ok: false, error: { code: 'LOG_BACKUP_UNUSABLE' } });
      if (at % 16 === 0) expect(tryIt(bytes.slice(0, at)).ok, `${at} bytes`).toBe(false);
    }
    expect(tryIt(Buffer.concat([bytes, bytes])).ok).toBe(false);
  });

  it('is whole although the node removes and begins segments meanwhile', () => {
    const { disk, journal } = makeLog();
    let next = 8;
    let reads = 0;
    const busy: LogDisk = {
      list: (folder) => disk.list(folder),
      read: (path) => {
        // With every third file that is read, the node writes a segment full and lets the old ones go.
        if (++reads % 3 === 0 && reads < 15) {
          for (let round = 0; round < 12; round++) {
            persist(journal, { entries: entriesOf(next++, 3, ['z'.repeat(900)]) });
          }
          save(journal, snapshotOf(next - 1, 3, 'later'));
        }
        return disk.read(path);
      },
      makeFolder: () => {},
      open: (path, options) => disk.open(path, options),
      rename: (from, to) => disk.rename(from, to),
      remove: (path) => disk.remove(path),
      syncFolder: (path) => disk.syncFolder(path),
    };
    const made = backupLog({ disk: busy, folder: FOLDER, file: FILE });
    expect(made.ok).toBe(true);
    expect(reads).toBeGreaterThan(6);
    expect(restore(disk, 'http://a').ok).toBe(true);
  });

  it('leaves nothing behind when its disk is full', () => {
    const { disk } = makeLog();
    disk.onStep = ({ call, path }) =>
      call === 'write' && path.startsWith(FILE) ? Object.assign(new Error('full'), { code: 'ENOSPC' }) : null;
    expect(backupLog({ disk, folder: FOLDER, file: FILE })).toMatchObject({
      ok: false,
      error: { code: 'LOG_DISK_FAILED' },
    });
    expect([...disk.files.keys()].filter((path) => path.startsWith(FILE))).toEqual([]);
  });

  it('that was restored in part is started by no node', () => {
    const { disk } = makeLog();
    expect(backupLog({ disk, folder: FOLDER, file: FILE }).ok).toBe(true);
    expect(restore(disk).ok).toBe(true);
    disk.remove(`${OTHER}/identity`);
    const files = [...disk.files].filter(([path]) => path.startsWith(OTHER));
    const moved = new MemoryDisk(files.map(([path, bytes]) => [path.replace(OTHER, FOLDER), bytes]));
    expect(tryToOpen(moved)).toMatch(/^LOG_DAMAGED/);
  });
});

describe('looking at a log', () => {
  it('says what it is', () => {
    const { disk, journal } = makeLog();
    journal.persist(batch({ muted: true }), () => {});
    expect(verifyLog({ disk, folder: FOLDER })).toMatchObject({
      ok: true,
      value: {
        incarnation: 'old',
        promise: { ballot: 5, votedFor: 'http://b' },
        muted: true,
        snapshot: { index: 4, ballot: 2, stateBytes: 3_000_000 },
        firstIndex: 1,
        lastIndex: 7,
        incomplete: null,
        leftovers: [],
      },
    });
    expect(verifyLog({ disk, folder: '/nowhere' })).toEqual({ ok: true, value: null });
  });

  it('shows each fact on a line, and submitted bytes only when asked', () => {
    const { disk } = makeLog();
    const dump = (withChanges: boolean) => {
      const lines: string[] = [];
      expect(dumpLog({ disk, folder: FOLDER, withChanges, line: (text) => lines.push(text) }).ok).toBe(true);
      return lines.map((text) => JSON.parse(text) as Record<string, unknown>);
    };
    const lines = dump(false);
    expect(lines[0]).toMatchObject({ type: 'segment', file: `${FOLDER}/00000001.log` });
    const shown = {
      type: 'entry',
      index: 5,
      ballot: 3,
      holds: 'changes',
      kind: 'kv',
      version: 1,
      requestId: 'r-d',
    };
    expect(lines).toContainEqual({ ...shown, bytes: [1] });
    expect(lines.at(-1)).toMatchObject({ type: 'snapshot in force', index: 4, stateBytes: 3_000_000 });
    expect(dump(true)).toContainEqual({ ...shown, changes: ['ZA=='] });
  });

  it('shows what comes before a damage, and the damage', () => {
    const { disk } = makeLog();
    const path = `${FOLDER}/00000001.log`;
    const bytes = disk.files.get(path) as Uint8Array;
    const at = bytes.findLastIndex((byte) => byte !== 0);
    bytes[at] = (bytes[at] as number) ^ 1;
    const damaged = new MemoryDisk([...disk.files, [path, bytes]]);
    const lines: string[] = [];
    const options = { disk: damaged, folder: FOLDER };
    const dumped = dumpLog({ ...options, withChanges: false, line: (text) => lines.push(text) });
    expect(dumped).toMatchObject({ ok: false, error: { code: 'LOG_DAMAGED' } });
    expect(lines.length).toBeGreaterThan(5);
    expect(verifyLog(options)).toMatchObject({ ok: false, error: { code: 'LOG_DAMAGED' } });
  });
});
