/**
 * A process that writes to a replicated log until it is killed; driven by the log's own tests.
 *
 * Says on stdout, with one write each, which batches were acknowledged: what its successor must know.
 * Batches come as fast as the disk takes them, with a snapshot now and then, through many segments.
 */
import { writeSync } from 'node:fs';
import type { Entry, Persist } from '../../src/consensus/index.ts';
import { LogJournal, systemLogDisk } from '../../src/journal/index.ts';
import { CollectedLog } from '../fakes/collected-log.ts';
import { FakeRandom } from '../fakes/fake-random.ts';

const IN_FLIGHT = 8;
const [folder = '', batches = ''] = process.argv.slice(2);
const opened = LogJournal.open({
  disk: systemLogDisk,
  folder,
  random: new FakeRandom(1),
  logger: new CollectedLog(),
  limits: { segmentBytes: 128 * 1_024, entriesKept: 10 },
});
if (!opened.ok) throw opened.error;
const { journal, restored } = opened.value;
let last = restored.entries.at(-1)?.index ?? restored.snapshot?.index ?? 0;
let acknowledged = last;
const stopAt = batches === '' ? Number.POSITIVE_INFINITY : last + Number(batches);

function write(): void {
  if (last >= stopAt) return;
  const index = ++last;
  const changes = [new TextEncoder().encode(`${index} `.repeat(1 + (index % 200)))];
  const payload = { type: 'changes', kind: 'kv', version: 1, requestId: `r${index}`, changes } as const;
  const entries: Entry[] = [{ index, ballot: index, payload }];
  const promise = { ballot: index, votedFor: 'http://a' };
  const batch: Persist = {
    token: index,
    promise,
    entries,
    snapshot: null,
    incarnation: null,
    muted: null,
  };
  journal.persist(batch, (error) => {
    if (error !== null) throw error;
    acknowledged = index;
    writeSync(1, `${index}\n`);
    if (index === stopAt) journal.close(() => {});
    else write();
  });
  if (index % 300 === 0) save();
}

function save(): void {
  const state = new TextEncoder().encode(`state at ${acknowledged}`);
  const configuration = { members: [] };
  const snapshot = { index: acknowledged, ballot: acknowledged, configuration, requests: [], state };
  journal.saveSnapshot(snapshot, () => {});
}

for (let started = 0; started < IN_FLIGHT; started++) write();
