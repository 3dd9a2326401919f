/** A process that is killed with SIGKILL in the middle of its work loses nothing that was confirmed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { adoptJournals } from './adopt.ts';
import { systemDisk } from './journal-disk.ts';
import { JournalWriter } from './journal-writer.ts';

const CHILD = join(import.meta.dirname, '../../../test/support/journal-child.ts');

/** Lets a process write to `path`, kills it after about `count` connections, and returns its words. */
async function writeAndDie(path: string, count: number): Promise<string[]> {
  const words = `${path}.words`;
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path, words, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdout.once('data', () => child.kill('SIGKILL'));
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  const said = readFileSync(words, 'utf8');
  rmSync(words);
  return said.slice(0, said.lastIndexOf('\n')).split('\n');
}

it.each([100, 2_000])('adopts what a killed process had confirmed, after %i connections', async (count) => {
  const directory = mkdtempSync(join(tmpdir(), 'arrokoth-kill-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, '0.1.boot.journal');
  const said = await writeAndDie(path, count);

  const logger = new CollectedLog();
  const next = join(directory, '0.2.boot.journal');
  const base = { disk: systemDisk, path: next, bootId: 'boot', slot: 0, run: 2 };
  const journal = new JournalWriter({ ...base, timers: new FakeTime(), logger });
  const { owed, damaged } = adoptJournals({
    disk: systemDisk,
    paths: [path],
    journal,
    bootId: 'boot',
    logger,
  });
  const found = new Set<string>(owed.map((close) => close.connection));

  expect(damaged).toEqual([]);
  expect(found.size).toBe(owed.length);
  const closing = new Set(said.filter((line) => line.startsWith('closing ')).map((line) => line.slice(8)));
  const confirmed = said.filter((line) => line.startsWith('opened ')).map((line) => line.slice(7));
  expect(confirmed.length).toBeGreaterThan(50);
  for (const connection of confirmed) {
    if (!closing.has(connection)) expect(found, connection).toContain(connection);
  }
  // Of those whose end was begun only the last turn's may still be owed.
  expect([...closing].filter((connection) => found.has(connection)).length).toBeLessThanOrEqual(4);
  expect(readdirSync(directory).filter((name) => !name.endsWith('.tmp'))).toEqual(['0.2.boot.journal']);
});
