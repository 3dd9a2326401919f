/** `arrokoth log ...` over a real folder: what the operator reads, and how it ends. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CollectedLog } from '../../test/fakes/collected-log.ts';
import { FakeRandom } from '../../test/fakes/fake-random.ts';
import type { Persist } from '../consensus/index.ts';
import { LogJournal, logFolder, systemLogDisk } from '../journal/index.ts';
import { runArrokoth } from './arrokoth.ts';
import type { CliDoors } from './cli-doors.ts';

const RANDOM = new FakeRandom(7);

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'arrokoth-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function openLog(dataDir: string) {
  const logger = new CollectedLog();
  const opened = LogJournal.open({ disk: systemLogDisk, folder: logFolder(dataDir), random: RANDOM, logger });
  if (!opened.ok) throw opened.error;
  return opened.value;
}

async function writeLog(dataDir: string): Promise<{ close: () => Promise<void> }> {
  const { journal, storage } = openLog(dataDir);
  const member = { name: 'http://127.0.0.1:1', storage, role: 'voter', knows: {} } as const;
  const payload = { type: 'members', configuration: { members: [member] } } as const;
  const change = {
    type: 'changes',
    kind: 'kv',
    version: 1,
    requestId: null,
    changes: [new Uint8Array([1, 2, 3])],
  } as const;
  const batch: Persist = {
    token: 1,
    promise: { ballot: 1, votedFor: member.name },
    entries: [
      { index: 1, ballot: 1, payload },
      { index: 2, ballot: 1, payload: change },
    ],
    snapshot: null,
    incarnation: 'first',
    muted: null,
  };
  await new Promise<void>((done, failed) =>
    journal.persist(batch, (error) => (error ? failed(error) : done())),
  );
  return { close: () => new Promise((done) => journal.close(done)) };
}

async function run(...words: string[]) {
  const said = { stdout: '', stderr: '' };
  const doors = {
    version: '1',
    stdout: (text: string) => {
      said.stdout += text;
    },
    stderr: (text: string) => {
      said.stderr += text;
    },
    absolutePath: (path: string) => path,
    logDisk: systemLogDisk,
    random: RANDOM,
  } as unknown as CliDoors;
  return { code: await runArrokoth(['log', ...words], doors), ...said };
}

test('a backup is made beside a running node, and becomes a new cluster elsewhere', async () => {
  const [data, other] = [makeFolder(), makeFolder()];
  const file = join(other, 'log.backup');
  const target = join(other, 'new');
  const node = await writeLog(data);
  const made = await run('backup', file, '--data', data);
  expect([made.code, made.stderr]).toEqual([0, '']);
  expect(made.stdout).toMatch(/^OK: .* up to index 2, \d+ bytes, of the cluster first\.\n$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await run('restore', file, '--data', target)).toMatchObject({ code: 2, stdout: '' });
  const restored = await run('restore', file, '--data', target, '--new-cluster');
  expect([restored.code, restored.stderr]).toEqual([0, '']);
  expect(restored.stdout).toContain('http://127.0.0.1:1, with the log up to index 3');
  const again = await run('restore', file, '--data', target, '--new-cluster');
  expect(again).toMatchObject({ code: 1, stdout: '' });
  expect(again.stderr).toMatch(/^LOG_FOLDER_TAKEN: /);
  const { restored: found, journal } = openLog(target);
  expect(found.entries.map(({ index }) => index)).toEqual([1, 2, 3]);
  expect(found.incarnation).not.toBe('first');
  await new Promise<void>((done) => journal.close(done));
  await node.close();
  expect(readdirSync(logFolder(data)).sort()).toEqual(['00000001.log', 'identity']);
});

test('verify says what a log is, and where it is damaged', async () => {
  const data = makeFolder();
  const node = await writeLog(data);
  const running = await run('verify', '--data', data);
  expect(running).toMatchObject({ code: 0, stderr: '' });
  expect(running.stdout).toMatch(/^OK: .*incarnation {2}first\n.*entries {6}1 to 2/s);
  const json = await run('verify', '--data', data, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ lastIndex: 2, muted: false, incomplete: null });
  await node.close();
  const path = join(logFolder(data), '00000001.log');
  const bytes = readFileSync(path);
  bytes[600] = (bytes[600] as number) ^ 4;
  writeFileSync(path, bytes);
  const damaged = await run('verify', '--data', data);
  expect(damaged).toMatchObject({ code: 1, stdout: '' });
  expect(damaged.stderr).toMatch(
    /^LOG_DAMAGED: .*00000001\.log, at byte 512: .*wrong checksum.*restore a backup/,
  );
  expect(await run('backup', join(data, 'b'), '--data', data)).toMatchObject({ code: 1, stdout: '' });
});

test('dump shows each fact as a line of JSON', async () => {
  const data = makeFolder();
  await (await writeLog(data)).close();
  const dumped = await run('dump', '--data', data, '--changes');
  expect(dumped).toMatchObject({ code: 0, stderr: '' });
  const lines = dumped.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ type }) => type)).toEqual(['segment', 'record', 'state', 'entry', 'entry']);
  expect(lines.at(-1)).toMatchObject({ index: 2, changes: ['AQID'] });
});

test('without a log, or used wrongly, each verb ends with 2', async () => {
  const data = makeFolder();
  for (const words of [['verify'], ['dump'], ['backup', join(data, 'b')]]) {
    const ended = await run(...words, '--data', data);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toBe(`There is no log in ${logFolder(data)}.\n`);
    expect(await run(...words)).toMatchObject({ code: 2, stdout: '' });
  }
  expect(readdirSync(data)).toEqual([]);
  const none = await run('restore', join(data, 'nothing'), '--data', data, '--new-cluster');
  expect(none).toMatchObject({ code: 1, stdout: '' });
});
