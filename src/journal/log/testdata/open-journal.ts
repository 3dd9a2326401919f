/** Opens journals for tests: small segments, a quiet logger, ids that are the same in every run. */
import { expect } from 'vitest';
import { CollectedLog } from '../../../../test/fakes/collected-log.ts';
import type { Entry, Payload, Persist, Snapshot } from '../../../consensus/index.ts';
import type { LogDisk } from '../log-disk.ts';
import { LogJournal, type LogJournalLimits, type OpenedJournal } from '../log-journal.ts';

/** Where the tests keep their logs on a disk in memory. */
export const FOLDER = '/log';
/** Four sectors of header and some records: tests see many segments. */
export const SMALL: LogJournalLimits = { segmentBytes: 8_192, groupBytes: 2_048, entriesKept: 3 };

/** Opens, or gives back the message of the refusal. */
export function tryToOpen(disk: LogDisk, limits: Partial<LogJournalLimits> = {}): OpenedJournal | string {
  const opened = LogJournal.open({
    disk,
    folder: FOLDER,
    random: { bytes: (count) => new Uint8Array(count).fill(7), fraction: () => 0.5 },
    logger: new CollectedLog(),
    limits: { ...SMALL, ...limits },
  });
  return opened.ok ? opened.value : `${opened.error.code}: ${opened.error.message}`;
}

/** Opens a log that has to be whole. */
export function open(disk: LogDisk, limits: Partial<LogJournalLimits> = {}): OpenedJournal {
  const opened = tryToOpen(disk, limits);
  if (typeof opened === 'string') throw new Error(opened);
  return opened;
}

/** A batch of which most is unchanged. */
export function batch(changes: Partial<Persist>): Persist {
  return {
    token: 1,
    promise: null,
    entries: [],
    snapshot: null,
    incarnation: null,
    muted: null,
    ...changes,
  };
}

/** Persists and waits for the disk, which calls back at once. */
export function persist(journal: LogJournal, changes: Partial<Persist>): void {
  let outcome: Error | null | undefined;
  journal.persist(batch(changes), (error) => {
    outcome = error;
  });
  expect(outcome).toBeNull();
}

/** Saves a snapshot and waits for the disk, which calls back at once. */
export function save(journal: LogJournal, snapshot: Snapshot): void {
  let outcome: Error | null | undefined;
  journal.saveSnapshot(snapshot, (error) => {
    outcome = error;
  });
  expect(outcome).toBeNull();
}

/** Entries from `first` on with those texts. */
export function entriesOf(first: number, ballot: number, texts: readonly string[]): Entry[] {
  return texts.map((text, place) => ({ index: first + place, ballot, payload: change(text) }));
}

/** One change of a text. */
export function change(text: string): Payload {
  return {
    type: 'changes',
    kind: 'kv',
    version: 1,
    requestId: `r-${text}`,
    changes: [new TextEncoder().encode(text)],
  };
}

/** A snapshot with that state, of one voter. */
export function snapshotOf(index: number, ballot: number, text: string): Snapshot {
  return {
    index,
    ballot,
    configuration: { members: [{ name: 'http://a', storage: 's', role: 'voter', knows: { kv: 1 } }] },
    requests: [[`r-${text}`, index]],
    state: new TextEncoder().encode(text),
  };
}
