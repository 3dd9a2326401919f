/**
 * The counter of the guide as it is printed, but for its ports: three processes that import the
 * package by its name, as it would be installed.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AwaitedList } from '../support/awaited-list.ts';
import { cleanUpAfterwards, freePort, ROOT, temporaryFolder } from '../support/index.ts';

const guide = readFileSync(join(ROOT, 'docs/guides/replicated-log.md'), 'utf8');
const program = /```js\n(\/\/ counter\.mjs\n.*?)```/s.exec(guide)?.[1] ?? '';

/** A folder in which `arrokoth` is installed. */
function installed(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/arrokoth'));
  return folder;
}

it('counts in three processes as the guide says', { timeout: 150_000 }, async () => {
  expect(program).toContain('new ReplicatedLog');
  const folder = installed();
  writeFileSync(join(folder, 'counter.mjs'), program);
  const ports = [await freePort(), await freePort(), await freePort()].map(String);
  const lines = new AwaitedList<string>('line');
  const [founder = '', ...others] = ports;
  for (const port of ports) {
    const participants = port === founder ? others.map((other) => `http://127.0.0.1:${other}`) : [];
    const words = ['counter.mjs', port, ...participants];
    const child = spawn(process.execPath, words, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    cleanUpAfterwards(() => void child.kill('SIGKILL'));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line !== '') lines.push(line);
    });
  }
  // Each of the three has counted up to three, and one of them has led.
  await lines.atLeast(3, (line) => line.endsWith('-> 3'), 60_000);
  await lines.atLeast(3, (line) => /^total [123]$/.test(line), 60_000);
  expect(lines.items).toContain('I am the master');
});

it('has types that a program of somebody else can be checked with', () => {
  const folder = installed();
  const file = join(folder, 'program.mts');
  writeFileSync(
    file,
    `import { ArrokothError, ReplicatedLog, type ReplicatedLogOptions } from 'arrokoth';
const options: ReplicatedLogOptions<number> = {
  cluster: 'c', address: 'http://127.0.0.1:1', listen: { host: '127.0.0.1', port: 1 }, dataDir: 'd',
  codec: { kind: 'k', version: 1, encode: () => new Uint8Array(), decode: () => 1 },
  state: { snapshot: () => new Uint8Array(), install: () => {}, apply: (change: number) => void change },
};
const log = new ReplicatedLog(options);
log.on('committed', (index, changes) => { const sum: number = index + (changes[0] ?? 0); void sum; });
// @ts-expect-error: a change is a number
const submitted: Promise<{ readonly index: number }> = log.submit(['one']);
await submitted.catch((error: unknown) => error instanceof ArrokothError && error.code === 'LOG_TIMEOUT');
`,
  );
  const ts = createRequire(import.meta.url)('typescript') as typeof import('typescript');
  const checked = ts.createProgram([file], {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
  });
  const faults = ts.getPreEmitDiagnostics(checked).map(({ file: at, messageText }) => {
    return `${at?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  expect(faults).toEqual([]);
});
