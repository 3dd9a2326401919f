/** Every log, snapshot and backup that a release ever wrote can be read by this one. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { restoreLog, systemLogDisk, verifyLog } from '../../src/journal/index.ts';
import { FakeRandom } from '../fakes/fake-random.ts';
import { describeRestored, openLog, writeLog } from './log-fixture.ts';

const RELEASES = join(import.meta.dirname, 'releases');
const releases = readdirSync(RELEASES);

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'arrokoth-compat-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it('knows at least one release', () => {
  expect(releases).toContain('0.1.0');
});

describe.each(releases)('the log of %s', (release) => {
  const source = join(RELEASES, release);
  const expected = readFileSync(join(source, 'log.txt'), 'utf8');

  it('is opened, and can be continued', async () => {
    const folder = join(makeFolder(), 'log');
    cpSync(join(source, 'log'), folder, { recursive: true });
    expect(verifyLog({ disk: systemLogDisk, folder })).toMatchObject({
      ok: true,
      value: { incomplete: null },
    });
    const first = openLog(folder);
    expect(describeRestored(first.storage, first.restored)).toBe(expected);
    const promise = { ballot: 9, votedFor: null };
    const batch = { token: 1, promise, entries: [], snapshot: null, incarnation: null, muted: false };
    await new Promise((done) => first.journal.persist(batch, done));
    await new Promise<void>((done) => first.journal.close(done));
    const second = openLog(folder);
    expect(second.restored).toEqual({ ...first.restored, promise, muted: false });
    await new Promise<void>((done) => second.journal.close(done));
  });

  it('is restored from its backup', async () => {
    const folder = join(makeFolder(), 'log');
    const file = join(source, 'log.backup');
    const restored = restoreLog({
      disk: systemLogDisk,
      folder,
      file,
      name: null,
      others: [],
      random: new FakeRandom(2),
    });
    expect(restored).toMatchObject({ ok: true, value: { name: 'http://127.0.0.1:8301', lastIndex: 13 } });
    const { journal, restored: found } = openLog(folder);
    const { entries, snapshot } = found;
    const before = JSON.parse(expected) as { restored: { entries: unknown[]; snapshot: unknown } };
    const after = JSON.parse(describeRestored('', { ...found, entries: entries.slice(0, -1), snapshot }));
    expect(after.restored.entries).toEqual(before.restored.entries);
    expect(after.restored.snapshot).toEqual(before.restored.snapshot);
    await new Promise<void>((done) => journal.close(done));
  });
});

it('is written today as the newest release wrote it', async () => {
  const folder = join(makeFolder(), 'log');
  await writeLog(folder);
  const newest = join(RELEASES, releases.sort().at(-1) as string, 'log');
  expect(readdirSync(folder).sort()).toEqual(readdirSync(newest).sort());
  for (const name of readdirSync(newest)) {
    expect(Buffer.compare(readFileSync(join(folder, name)), readFileSync(join(newest, name))), name).toBe(0);
  }
});
