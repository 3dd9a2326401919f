/** Lets the simulator look for one planted bug, seed after seed, in a process of its own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Canary } from './canaries.ts';
import { plantHouse } from './planted-house.ts';

/** Where the bug was caught, by which checker; null: it lived through all seeds that it was given. */
export type Catch = { readonly seed: number; readonly checker: string; readonly text: string } | null;

interface Line {
  readonly seed: number;
  readonly checker: string | null;
  readonly text: string | null;
}

/** Runs a canary's seeds until one fails. */
export async function hunt(canary: Canary): Promise<Catch> {
  const house = plantHouse(canary.plants);
  try {
    return await firstFailure(house.folder, canary);
  } finally {
    house.remove();
  }
}

function firstFailure(folder: string, { seedsMax, focus }: Canary): Promise<Catch> {
  return new Promise((done, fail) => {
    const program = join(folder, 'sim', 'run.ts');
    const options = ['--json', '--seeds', `${seedsMax}`, ...(focus === undefined ? [] : ['--focus', focus])];
    const child = spawn(process.execPath, ['--import', 'tsx', program, ...options], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let caught: Catch = null;
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { seed, checker, text } = JSON.parse(line) as Line;
      if (checker === null || caught !== null) return;
      caught = { seed, checker, text: text ?? '' };
      child.kill();
    });
    child.on('error', fail);
    child.on('close', (code) => {
      if (caught === null && code !== 0) fail(new Error(`the simulator ended with ${code}: ${complaints}`));
      else done(caught);
    });
  });
}
