/** Real processes on a real disk: killed again and again, and watched by the kernel while they write. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeRandom } from '../../../test/fakes/fake-random.ts';
import { requireProgram } from '../../../test/support/programs.ts';
import { LogJournal } from './log-journal.ts';
import { systemLogDisk } from './system-log-disk.ts';

const CHILD = join(import.meta.dirname, '../../../test/support/log-child.ts');
const ARGUMENTS = ['--import', 'tsx', CHILD];
const STRACE = requireProgram('strace');

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'arrokoth-log-kill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Lets a process write, kills it once it has acknowledged so many more; the last that it did. */
async function writeAndDie(folder: string, count: number): Promise<number> {
  const child = spawn(process.execPath, [...ARGUMENTS, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  let lines = 0;
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
    lines += bytes.toString().split('\n').length - 1;
    if (lines >= count) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  return Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
}

it('finds everything that a killed process had acknowledged, life after life', async () => {
  const folder = join(makeFolder(), 'log');
  for (const count of [1, 40, 700, 333]) {
    const acknowledged = await writeAndDie(folder, count);
    const opened = LogJournal.open({
      disk: systemLogDisk,
      folder,
      random: new FakeRandom(2),
      logger: new CollectedLog(),
    });
    if (!opened.ok) throw opened.error;
    const { restored, journal } = opened.value;
    const covered = restored.snapshot?.index ?? 0;
    const last = restored.entries.at(-1)?.index ?? covered;
    expect(last).toBeGreaterThanOrEqual(acknowledged);
    expect(restored.promise.ballot).toBe(last);
    restored.entries.forEach((entry, place) => {
      expect(entry.index).toBe(covered + 1 + place);
      const text = `${entry.index} `.repeat(1 + (entry.index % 200));
      const found = entry.payload.type === 'changes' ? entry.payload.changes[0] : undefined;
      expect(Buffer.from(found ?? []).toString()).toBe(text);
    });
    if (covered > 0)
      expect(Buffer.from(restored.snapshot?.state ?? []).toString()).toBe(`state at ${covered}`);
    await new Promise<void>((done) => journal.close(done));
  }
}, 60_000);

it('is refused to a second process while the first one lives', async () => {
  const folder = join(makeFolder(), 'log');
  const child = spawn(process.execPath, [...ARGUMENTS, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const open = () =>
    LogJournal.open({ disk: systemLogDisk, folder, random: new FakeRandom(3), logger: new CollectedLog() });
  expect(open()).toMatchObject({ ok: false, error: { code: 'DATA_DIR_IN_USE' } });
  child.kill('SIGKILL');
  await once(child, 'close');
  const opened = open();
  expect(opened.ok).toBe(true);
  if (opened.ok) await new Promise<void>((done) => opened.value.journal.close(done));
}, 60_000);

/** A call as `strace -f -y` shows it: when a line says "resumed", its beginning was on an earlier one. */
function callsOf(trace: string): { readonly name: string; readonly file: string; readonly text: string }[] {
  const begun = new Map<string, string>();
  return trace.split('\n').flatMap((line) => {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest)?.[1];
    if (unfinished !== undefined) {
      begun.set(thread, unfinished);
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    const text = resumed === undefined ? rest : `${begun.get(thread)}${resumed}`;
    const [, name, file = ''] = /^(\w+)\((?:\d+<([^>]*)>)?/.exec(text) ?? [];
    return name === undefined ? [] : [{ name, file, text }];
  });
}

it.skipIf(STRACE === null)(
  'has each batch on the disk before it says so, as the kernel sees it',
  () => {
    const base = makeFolder();
    const trace = join(base, 'trace');
    const calls = 'trace=pwrite64,write,fdatasync,fsync,rename';
    const strace = ['-f', '-y', '-s', '16', '-e', calls, '-o', trace, process.execPath];
    const run = spawnSync(STRACE as string, [...strace, ...ARGUMENTS, join(base, 'log'), '400'], {
      encoding: 'utf8',
    });
    expect(run.error).toBeUndefined();
    expect([run.status, run.stdout.trimEnd().split('\n').length]).toEqual([0, 400]);
    const unsynced = new Set<string>();
    const unnamed = new Set<string>();
    let acknowledged = 0;
    let segments = 0;
    for (const { name, file, text } of callsOf(readFileSync(trace, 'utf8'))) {
      if (name === 'pwrite64' && file.startsWith(base)) unsynced.add(file);
      else if (name === 'fdatasync' && text.endsWith('= 0')) unsynced.delete(file);
      else if (name === 'fsync') unnamed.clear();
      else if (name === 'rename' && text.startsWith(`rename("${base.slice(0, 8)}`)) {
        // What gets its name is durable; the name is before anything is said.
        unnamed.add(text);
        segments++;
      } else if (name === 'write' && /^write\(1<[^>]*>, "\d+\\n"/.test(text)) {
        acknowledged++;
        expect([...unnamed, ...[...unsynced].filter((path) => path.endsWith('.log'))]).toEqual([]);
      }
    }
    expect(acknowledged).toBe(400);
    expect(segments).toBeGreaterThan(1);
  },
  120_000,
);
