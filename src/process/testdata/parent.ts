/**
 * A supervisor for tests that is made to be killed: starts one worker, says when it is ready, and
 * lives on. The worker shares its stdout.
 */
import { spawnWorker } from '../index.ts';

const worker = spawnWorker({ entry: new URL('./greeting-worker.ts', import.meta.url), env: process.env });
worker.onMessage((message) => {
  if (message.type === 'ready') process.stdout.write('worker ready\n');
});
