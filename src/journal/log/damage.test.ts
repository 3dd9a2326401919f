/**
 * A small log, damaged in every way that a disk has: what was acknowledged is never silently gone.
 *
 * Each damage ends in a refusal, or makes no difference, or, where it looks like what a crash leaves
 * of the last record, in a cut that mutes the node.
 */
import { isDeepStrictEqual } from 'node:util';
import { expect, it, vi } from 'vitest';
import type { Restored } from '../../consensus/index.ts';
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

/** Tens of thousands of starts: seconds on a machine that does nothing else. */
vi.setConfig({ testTimeout: 120_000 });

const SEGMENT_BYTES = 3_072;

/** Two segments, a snapshot, an identity; the last group holds entries 8 and 9. */
function smallLog(): { readonly files: Map<string, Uint8Array>; readonly whole: Restored } {
  const disk = new MemoryDisk();
  const { journal } = open(disk, { segmentBytes: SEGMENT_BYTES });
  persist(journal, { promise: { ballot: 2, votedFor: 'http://a' }, incarnation: 'i' });
  persist(journal, { entries: entriesOf(1, 2, ['a', 'b', 'c']) });
  save(journal, snapshotOf(2, 2, 'state'));
  persist(journal, { entries: entriesOf(4, 2, ['d', 'e', 'f', 'g'.repeat(300)]) });
  persist(journal, { entries: entriesOf(8, 2, ['h', 'i'.repeat(900)]) });
  journal.close(() => {});
  const names = disk.list(FOLDER).sort();
  expect(names).toEqual(['00000001.log', '00000001.snapshot', '00000002.log', 'identity']);
  return { files: disk.files, whole: open(disk.afterKill(), { segmentBytes: SEGMENT_BYTES }).restored };
}

const { files, whole } = smallLog();
const PATHS = [...files.keys()].sort();
const LAST = `${FOLDER}/00000002.log`;

/** How a start takes a log in which one file has other bytes; null: the file is gone. */
function outcomeOf(path: string, bytes: Uint8Array | null): 'refused' | 'cut' | 'same' {
  const damaged = new Map(files);
  if (bytes === null) damaged.delete(path);
  else damaged.set(path, bytes);
  const disk = new MemoryDisk(damaged);
  const opened = tryToOpen(disk, { segmentBytes: SEGMENT_BYTES });
  if (typeof opened === 'string') {
    expect(opened).toMatch(/^LOG_DAMAGED: .*\/log\/?[^ ]*, at byte \d+: /);
    for (const [name, before] of damaged) expect(Buffer.compare(disk.read(name), before)).toBe(0);
    return 'refused';
  }
  const { restored } = opened;
  if (!restored.muted) {
    expect(isDeepStrictEqual(restored, whole)).toBe(true);
    return 'same';
  }
  expect(path).toBe(LAST);
  expect(restored).toEqual({
    ...whole,
    entries: whole.entries.slice(0, restored.entries.length),
    muted: true,
  });
  // What was cut stays cut, and the node stays muted.
  expect(open(disk.afterPowerCut(() => false)).restored).toEqual(restored);
  return 'cut';
}

it.each([0x01, 0x80, 0xff])('with any byte flipped by %i', (flip) => {
  for (const path of PATHS) {
    const bytes = files.get(path) as Uint8Array;
    for (let at = 0; at < bytes.length; at++) {
      // Zeros behind the last record are all alike.
      if (bytes[at] === 0 && bytes[at - 1] === 0 && bytes[at + 1] === 0 && at % 61 !== 0) continue;
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] as number) ^ flip;
      expect(outcomeOf(path, flipped), `${path} ${at}`).toBe('refused');
    }
  }
});

it('with any byte of the last record made zero', () => {
  const outcomes = new Set<string>();
  const bytes = files.get(LAST) as Uint8Array;
  for (let at = 0; at < bytes.length; at++) {
    const zeroed = bytes.slice();
    zeroed[at] = 0;
    outcomes.add(outcomeOf(LAST, zeroed));
  }
  // The one byte whose loss looks like a torn end is the very last one.
  expect([...outcomes].sort()).toEqual(['cut', 'refused', 'same']);
});

it('with any file cut off at any length', () => {
  for (const path of PATHS) {
    const bytes = files.get(path) as Uint8Array;
    for (let length = 0; length < bytes.length; length++) {
      // Every place in headers and around the ends of records; some in the long rows of one letter.
      if (bytes[length] === bytes[length - 1] && bytes[length] === bytes[length + 1] && length % 61 !== 0)
        continue;
      const outcome = outcomeOf(path, bytes.slice(0, length));
      if (path !== LAST && !path.endsWith('.log')) expect(outcome).toBe('refused');
      if (path === LAST && length > SEGMENT_BYTES / 2) expect(outcome, `${path} ${length}`).toBe('cut');
    }
  }
});

it('with any row of sectors gone', () => {
  const seen = { refused: 0, cut: 0, same: 0 };
  for (const path of PATHS) {
    const bytes = files.get(path) as Uint8Array;
    for (let from = 0; from < bytes.length; from += 512) {
      for (let to = from + 512; to <= bytes.length + 511; to += 512) {
        // Whole records gone from the end are as if they had never been written.
        const isRest = bytes.subarray(to).every((byte) => byte === 0);
        if (path === LAST && isRest && bytes[from] === 0x41) continue;
        const gone = bytes.slice().fill(0, from, Math.min(to, bytes.length));
        seen[outcomeOf(path, gone)]++;
      }
    }
  }
  expect(seen.refused).toBeGreaterThan(30);
  expect(seen.cut).toBeGreaterThan(3);
});

it('with a file gone, or another one in its place', () => {
  for (const path of PATHS) {
    // Without its newest segment a log looks like a younger one: nothing tells that there was another.
    if (path !== LAST) expect(outcomeOf(path, null), path).toBe('refused');
    for (const other of PATHS) {
      if (other !== path) expect(outcomeOf(path, files.get(other) as Uint8Array)).toBe('refused');
    }
  }
});

it('with a whole record at another place than its own', () => {
  const bytes = files.get(LAST) as Uint8Array;
  for (let from = 0; from < bytes.length; from += 512) {
    for (let to = 512; to < bytes.length; to += 512) {
      if (from === to) continue;
      const moved = bytes.slice();
      moved.set(bytes.subarray(from, from + 512), to);
      expect(['refused', 'cut', 'same']).toContain(outcomeOf(LAST, moved));
    }
  }
});

it('of another folder is not taken for its own', () => {
  const disk = new MemoryDisk(files);
  const other = new MemoryDisk();
  open(other);
  disk.remove(`${FOLDER}/identity`);
  const identity = (other.files.get(`${FOLDER}/identity`) as Uint8Array).slice();
  const mixed = new MemoryDisk([...disk.files, [`${FOLDER}/identity`, identity]]);
  // Both ids are drawn from the same fake numbers; one digit makes them two.
  expect(tryToOpen(mixed)).not.toBeTypeOf('string');
  const text = new TextDecoder().decode(identity).replace('07', '17');
  const forged = new MemoryDisk([...disk.files, [`${FOLDER}/identity`, new TextEncoder().encode(text)]]);
  expect(tryToOpen(forged)).toMatch(/not the line that was written/);
});

it('is left alone when it was written by a newer release', () => {
  const disk = new MemoryDisk(files);
  const { journal } = open(disk);
  journal.persist(batch({ muted: null }), () => {});
  const bytes = (files.get(LAST) as Uint8Array).slice();
  bytes[4] = 2;
  expect(outcomeOf(LAST, bytes)).toBe('refused');
});
