/**
 * The log that each release writes once, and that all later ones read.
 *
 * `write-log-fixture.ts` makes it, `log.test.ts` opens what all releases made. Every kind of fact is
 * in it: promise, incarnation, muted, entries of each type, a replaced suffix, a snapshot, segments.
 */
import type { Entry, Persist, Restored, Snapshot } from '../../src/consensus/index.ts';
import { LogJournal, systemLogDisk } from '../../src/journal/index.ts';
import { CollectedLog } from '../fakes/collected-log.ts';
import { FakeRandom } from '../fakes/fake-random.ts';

/** Small, so that there are several of them in a few kilobytes. */
const LIMITS = { segmentBytes: 4_096, entriesKept: 2 };

/** Opens the journal of a folder. */
export function openLog(folder: string) {
  const opened = LogJournal.open({
    disk: systemLogDisk,
    folder,
    random: new FakeRandom(1),
    logger: new CollectedLog(),
    limits: LIMITS,
  });
  if (!opened.ok) throw opened.error;
  return opened.value;
}

/** Writes the log of a release; gives back what a start has to find. */
export async function writeLog(folder: string): Promise<string> {
  const { journal, storage } = openLog(folder);
  const persist = (changes: Partial<Persist>): Promise<void> => {
    const unchanged = { promise: null, entries: [], snapshot: null, incarnation: null, muted: null };
    const batch: Persist = { token: 1, ...unchanged, ...changes };
    return new Promise((done, failed) => journal.persist(batch, (error) => (error ? failed(error) : done())));
  };
  const knows = { kv: 1 };
  const member = { name: 'http://127.0.0.1:8301', storage, role: 'voter', knows } as const;
  const other = { name: 'http://127.0.0.2:8301', storage: null, role: 'learner', knows: {} } as const;
  const configuration = { members: [member, other] };
  await persist({
    promise: { ballot: 1, votedFor: member.name },
    incarnation: '5f1d',
    entries: [
      { index: 1, ballot: 1, payload: { type: 'members', configuration } },
      { index: 2, ballot: 1, payload: { type: 'noop' } },
    ],
  });
  for (let index = 3; index < 12; index++) await persist({ entries: [changeAt(index, 1, index * 90)] });
  await persist({ promise: { ballot: 4, votedFor: null }, entries: [changeAt(10, 4, 3)], muted: true });
  const snapshot: Snapshot = {
    index: 9,
    ballot: 1,
    configuration,
    requests: [
      ['r3', 3],
      ['\ud800', 9],
    ],
    state: new TextEncoder().encode('{"a":"1"}'),
  };
  await new Promise<void>((done, failed) =>
    journal.saveSnapshot(snapshot, (error) => (error ? failed(error) : done())),
  );
  await persist({ entries: [{ index: 11, ballot: 4, payload: { type: 'noop' } }, changeAt(12, 4, 700)] });
  await new Promise<void>((done) => journal.close(done));
  return storage;
}

/** What a start gave back, as a text that can be committed. */
export function describeRestored(storage: string, { earlier: _, ...restored }: Restored): string {
  const inHex = (_key: string, value: unknown) =>
    value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value;
  return `${JSON.stringify({ storage, restored }, inHex, 2)}\n`;
}

function changeAt(index: number, ballot: number, size: number): Entry {
  const requestId = index % 2 === 0 ? null : `r${index}`;
  const changes = [new Uint8Array(size).fill(index), new Uint8Array(0)];
  return { index, ballot, payload: { type: 'changes', kind: 'kv', version: 1, requestId, changes } };
}
