/**
 * The conductor's end of the log's load maker: starts the process and gives it orders.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Measurement } from '../load/orders.ts';
import { killGroup, LOAD_CORE, startNode } from '../pinned-process.ts';
import type { CommitAnswer, CommitOrder } from './orders.ts';

const MAKER = join(import.meta.dirname, 'maker.ts');

/** Measures one order in a process of its own, on the core for load; throws what it found wrong. */
export async function measureCommits(order: CommitOrder): Promise<Measurement> {
  const maker = startNode(LOAD_CORE, ['--import=tsx', MAKER], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    const answered = firstAnswer(maker);
    maker.send(order);
    const answer = await answered;
    if (answer.type === 'failed') throw new Error(answer.message);
    return answer.measurement;
  } finally {
    killGroup(maker);
  }
}

async function firstAnswer(maker: ChildProcess): Promise<CommitAnswer> {
  const gone = once(maker, 'exit').then(([code]) => {
    throw new Error(`the load maker ended with ${code}`);
  });
  const [answer] = (await Promise.race([once(maker, 'message'), gone])) as [CommitAnswer];
  return answer;
}
