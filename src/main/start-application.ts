/**
 * Starts the example chat application as a process of its own, as a user's application would be.
 *
 * In a process group of its own: an interrupt from the terminal reaches the node first, and the
 * application still answers the node's last close callbacks. It ends with us, whatever happens,
 * because it watches its channel to us.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { failed, ok, type Result } from '../base/index.ts';
import type { StartedApplication } from '../cli/index.ts';
import { systemTimers } from '../system/index.ts';

/** The application stands two directories up from sources and from compiled files alike. */
const APPLICATION = fileURLToPath(new URL('../../examples/chat/app.mjs', import.meta.url));
/** What an application that hangs is given before it is killed. */
const STOP_TIMEOUT_MS = 3_000;
/** Last words that are kept. */
const WORDS_CHARS_MAX = 2_000;

/** Resolves when the application listens, or with its last words when it ends before. */
export function startApplication(place: {
  readonly port: number;
  readonly gatewayUrl: string;
}): Promise<Result<StartedApplication, string>> {
  const child = fork(APPLICATION, [], {
    detached: true,
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(place.port), GATEWAY_URL: place.gatewayUrl },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-WORDS_CHARS_MAX);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(failed(error.message)));
    void ended.then(() => resolve(failed(words)));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const url = /^listening (\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(ok({ url, ended, stop: () => stop(child, ended) }));
    });
  });
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const insist = systemTimers.after(STOP_TIMEOUT_MS, () => child.kill('SIGKILL'));
  await ended;
  insist.cancel();
}
