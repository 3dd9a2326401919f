/**
 * CPU seconds that processes have used so far, as the kernel counts them.
 */
import { readFileSync } from 'node:fs';

/** Linux reports process times in hundredths of a second, whatever the kernel's own tick. */
const TICKS_PER_S = 100;

/** Sum over the processes; one that has ended counts nothing. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    } catch {
      continue;
    }
    // The command in parentheses may hold spaces; the fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_S;
}
