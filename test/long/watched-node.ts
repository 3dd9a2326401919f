/**
 * A node under test, with settings that make ends quick to tell, and the last word about them.
 */
import { type NodeOptions, type RunningNode, startNode } from '../support/index.ts';
import type { CountingApplication } from './counting-application.ts';
import { type EndsToCheck, endFaults } from './end-faults.ts';
import { journalsLeft } from './node-processes.ts';

type Config = Readonly<Record<string, unknown>>;

/** Starts a node before `application`; `config` is laid over the defaults of these tests. */
export function startWatchedNode(
  application: CountingApplication,
  config: Config = {},
  options: Partial<NodeOptions> = {},
): Promise<RunningNode> {
  const { callback, ...rest } = config;
  return startNode({
    ...options,
    config: {
      ping: { interval: '0s' },
      suppress_access_log: true,
      ...rest,
      callback: {
        ...application.callback,
        // Every handshake of a test may be in progress at once.
        max_in_flight: 2_000,
        close_attempts: 100,
        close_backoff: '50ms',
        close_backoff_max: '500ms',
        ...(callback as object | undefined),
      },
    },
  });
}

/** Drains the node; then nothing more can be told, and what was told must be right. */
export async function stopAndCheck(
  node: RunningNode,
  application: CountingApplication,
  check: Pick<EndsToCheck, 'expected' | 'repetitionAllowed' | 'keyMayBeUnknown' | 'retried'>,
): Promise<string[]> {
  const exit = await node.stop();
  const faults = endFaults({ ...application, ...check });
  if (exit.code !== 0) faults.push(`the node ended with ${exit.code ?? exit.signal}`);
  for (const name of journalsLeft(node.folder)) faults.push(`something is still owed in ${name}`);
  // One fault tells as much as a thousand of its kind.
  return faults.length > 20 ? [...faults.slice(0, 20), `and ${faults.length - 20} more`] : faults;
}

/** Resolves when that many ends were told, or are overdue: then the oracle has to say which. */
export async function endsTold(application: CountingApplication, count: number): Promise<void> {
  await application.endCount.reaches(count, 30_000).catch((overdue: Error) => console.warn(overdue.message));
}
