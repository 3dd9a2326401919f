/**
 * Starts applications that can be killed, and hears what they are asked.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AwaitedList } from './awaited-list.ts';
import { cleanUpAfterwards } from './cleanup.ts';
import { ROOT } from './programs.ts';

/** One callback, as the process noted it before it answered. */
export interface NotedCallback {
  readonly kind: string;
  /** Of the client's query. */
  readonly key: string;
  /** Id of a close event, or empty. */
  readonly event: string;
}

/** An application in a process of its own. */
export interface BackendProcess {
  readonly port: number;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly noted: AwaitedList<NotedCallback>;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Resolves when it listens; `hold`: it never answers connect callbacks. */
export async function startBackendProcess(
  options: { readonly port?: number; readonly hold?: boolean } = {},
): Promise<BackendProcess> {
  const program = join(ROOT, 'test/support/backend-child.ts');
  const args = ['--import', 'tsx', program, String(options.port ?? 0), options.hold === true ? 'hold' : ''];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'close');
  cleanUpAfterwards(() => void child.kill('SIGKILL'));
  const listening = new AwaitedList<number>('ports');
  const noted = new AwaitedList<NotedCallback>('callbacks');
  hear(child, listening, noted);
  const port = await listening.first(() => true, 30_000);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  return { port, url: `http://127.0.0.1:${port}`, noted, kill };
}

function hear(child: ChildProcess, ports: AwaitedList<number>, noted: AwaitedList<NotedCallback>): void {
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (text) => {
    const line = JSON.parse(text) as { readonly port?: number } & NotedCallback;
    if (line.port === undefined) noted.push(line);
    else ports.push(line.port);
  });
}
