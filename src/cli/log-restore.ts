/**
 * `arrokoth log restore FILE --new-cluster`: makes the first member of a new cluster out of a backup.
 *
 * There is no other kind: a backup is older than what the cluster has promised since, so it must
 * never vote in the old one. The option is asked for, so that nobody does it without knowing.
 */
import { type Restoration, restoreLog } from '../journal/index.ts';
import { type CliDoors, EXIT } from './cli-doors.ts';
import { folderOf, type LogPlace, logFailure } from './log-place.ts';

/** Options of the verb. */
export interface LogRestoreOptions extends LogPlace {
  readonly newCluster?: boolean;
  /** Address of the new member. */
  readonly name?: string;
  /** Addresses of those who are to join it, with commas between them. */
  readonly members?: string;
}

/** The exit code. */
export function logRestore(file: string, options: LogRestoreOptions, doors: CliDoors): number {
  if (options.newCluster !== true) {
    doors.stderr(
      'A backup becomes the beginning of a new cluster: say so with --new-cluster. A member whose data ' +
        'is gone needs no backup; start it with an empty data directory, and the others bring it back.\n',
    );
    return EXIT.usage;
  }
  const restored = restoreLog({
    disk: doors.logDisk,
    folder: folderOf(options, doors),
    file: doors.absolutePath(file),
    name: options.name ?? null,
    others: (options.members ?? '')
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
    random: doors.random,
  });
  if (!restored.ok) return logFailure(restored.error, doors);
  doors.stdout(describe(restored.value, options.data));
  return EXIT.ok;
}

function describe({ name, lastIndex, incarnation, left }: Restoration, place: string): string {
  const lines = [
    `OK: ${place} is the first member of a new cluster, ${name}, with the log up to index ${lastIndex}.`,
    `  incarnation  ${incarnation}`,
  ];
  if (left.length > 0) {
    lines.push(`  left out     ${left.join(', ')}: not members of the new cluster, unless you add them`);
  }
  return `${lines.join('\n')}\n`;
}
