/**
 * `arrokoth watch KEY`: has a running node log each step of one session's connections for a while.
 *
 * The lines are in the node's own log; here it is only switched on and off.
 */
import { LIMITS } from '../base/index.ts';
import { type CliDoors, EXIT } from './cli-doors.ts';
import { askRunningNode, type NodePlace } from './running-node.ts';

/** Options of the verb. */
export interface WatchOptions extends NodePlace {
  /** Milliseconds. */
  readonly for: number;
  readonly stop?: boolean;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `30s`, `10m`, `1h`; null: not a time that a watch may last. */
export function readWatchTime(word: string): number | null {
  const [, number = '', unit = ''] = /^(\d{1,5})([smh])$/.exec(word) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? Number.NaN);
  return ms > 0 && ms <= LIMITS.watchMaxMs ? ms : null;
}

/** Resolves with the exit code. */
export async function watch(key: string, options: WatchOptions, doors: CliDoors): Promise<number> {
  const forMs = options.stop === true ? 0 : options.for;
  const answer = await askRunningNode(options, { name: 'watch', given: { key, forMs } }, doors);
  if (!answer.ok) {
    doors.stderr(answer.error.words);
    return answer.error.exitCode;
  }
  const { watched } = answer.value;
  if (watched.length === 0) doors.stdout('Nothing is watched.\n');
  else doors.stdout(`Watched, in the log of the node as "watched":\n${watched.map(line).join('')}`);
  return EXIT.ok;
}

/** Keys come from applications; a terminal should not obey them. */
function line({ key, forMs }: { readonly key: string; readonly forMs: number }): string {
  return `  ${JSON.stringify(key)} for ${Math.ceil(forMs / 1_000)} s\n`;
}
