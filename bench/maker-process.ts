/**
 * The conductor's end of a load maker: starts the process and gives it orders.
 */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { MakerAnswer, Measurement, Order } from './load/orders.ts';
import { killGroup, LOAD_CORE, startNode } from './pinned-process.ts';

const MAKER = join(import.meta.dirname, 'load/maker.ts');

/** A load maker that runs. */
export class MakerProcess {
  readonly applicationUrl: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, applicationUrl: string) {
    this.#child = child;
    this.applicationUrl = applicationUrl;
  }

  static async start(): Promise<MakerProcess> {
    const child = startNode(LOAD_CORE, ['--import=tsx', MAKER], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const answer = await nextAnswer(child);
    if (answer.type !== 'ready') throw new Error('the load maker spoke out of turn');
    return new MakerProcess(child, answer.applicationUrl);
  }

  /** Gives an order and waits for what came of it; throws what the maker found wrong. */
  async carryOut(order: Order): Promise<Measurement> {
    const answer = nextAnswer(this.#child);
    this.#child.send(order);
    const measured = await answer;
    if (measured.type !== 'measured') throw new Error('the load maker spoke out of turn');
    return measured.measurement;
  }

  kill(): void {
    killGroup(this.#child);
  }
}

function nextAnswer(child: ChildProcess): Promise<MakerAnswer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the load maker ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (answer: MakerAnswer) => {
      child.off('exit', onExit);
      if (answer.type === 'failed') reject(new Error(answer.message));
      else resolve(answer);
    });
  });
}
