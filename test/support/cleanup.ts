/**
 * Whatever a test starts is ended with it.
 *
 * Inside a test the end of that test is meant, in `beforeAll` the end of the file. Processes are
 * also killed when the test runner itself dies, so that no failure leaves a node behind.
 */
import { afterAll, onTestFinished } from 'vitest';

type Cleanup = () => void | Promise<void>;

const untilEndOfFile: Cleanup[] = [];
const processGroups = new Set<number>();

afterAll(async () => {
  for (const cleanup of untilEndOfFile.splice(0).reverse()) await cleanup();
});

process.on('exit', () => {
  for (const leader of processGroups) killGroup(leader);
});

/** Runs `cleanup` when the current test, or else the file, has ended. */
export function cleanUpAfterwards(cleanup: Cleanup): void {
  try {
    onTestFinished(cleanup);
  } catch {
    // Outside of a test the hook throws; what is started there lives as long as the file.
    untilEndOfFile.push(cleanup);
  }
}

/** Remembers a process group that must not survive this process. */
export function guardProcessGroup(leader: number): void {
  processGroups.add(leader);
}

/** Kills a whole process group at once; harmless when it is gone. */
export function killGroup(leader: number): void {
  processGroups.delete(leader);
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // ESRCH: nobody is left.
  }
}
