/**
 * `arrokoth demo` as its own process: what somebody sees who types the README's first command.
 *
 * All ports are free ones. What it prints for people is the interface, so that is what is read.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AwaitedList } from './awaited-list.ts';
import { cleanUpAfterwards, guardProcessGroup, killGroup } from './cleanup.ts';
import { ROOT } from './programs.ts';

/** A running demonstration. */
export interface Demo {
  /** Address of the page. */
  readonly pageUrl: string;
  /** The command lines that it printed, as printed. */
  readonly curlLines: readonly string[];
  /** Interrupts it, as Ctrl-C does, and resolves with the exit code. */
  interrupt(): Promise<number | null>;
}

/** Starts the demonstration and resolves when it has said how to end it. */
export async function startDemo(): Promise<Demo> {
  const program = join(ROOT, 'dist/main/arrokoth.js');
  const ports = ['--port', '0', '--api-port', '0', '--app-port', '0'];
  const child = spawn(process.execPath, [program, 'demo', ...ports], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid as number;
  guardProcessGroup(pid);
  cleanUpAfterwards(() => killGroup(pid));
  const words = new AwaitedList<string>('lines of the demonstration');
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  createInterface({ input: child.stdout }).on('line', (line) => words.push(line.trim()));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      words.end(new Error(`the demonstration ended with ${code}:\n${log.slice(-20).join('\n')}`));
      resolve(code);
    });
  });
  await words.first((line) => line.includes('Ctrl-C'), 60_000);
  return {
    pageUrl: words.items.find((line) => /^http:\S+$/.test(line)) ?? '',
    curlLines: words.items.filter((line) => line.startsWith('curl ')),
    interrupt: () => {
      // A terminal sends the signal to the whole foreground group.
      process.kill(-pid, 'SIGINT');
      return ended;
    },
  };
}
