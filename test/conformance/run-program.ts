/**
 * Runs one of the two programs to its end, or until it has said something.
 *
 * For command lines and files that do not make a running node; `startNode` is for those that do.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { cleanUpAfterwards, guardProcessGroup, killGroup, ROOT } from '../support/index.ts';

/** What a program said and how it ended. */
export interface ProgramRun {
  /** Null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run it. */
export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sends SIGTERM as soon as stdout contains this. */
  readonly stopAfter?: string;
}

/** Runs `arrokoth` or `ekbo` with `words`, and resolves when it has ended. */
export function runProgram(
  bin: 'arrokoth' | 'ekbo',
  words: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramRun> {
  const child = spawn(process.execPath, [join(ROOT, `dist/main/${bin}.js`), ...words], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid as number;
  guardProcessGroup(pid);
  cleanUpAfterwards(() => killGroup(pid));
  let stdout = '';
  let stderr = '';
  let stopped = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stopped || options.stopAfter === undefined || !stdout.includes(options.stopAfter)) return;
    stopped = true;
    child.kill('SIGTERM');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
