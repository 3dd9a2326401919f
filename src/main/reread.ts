/**
 * Reads a node's configuration again and decides what of it the node takes over.
 *
 * Keeps the keys in force, with which the next reading is compared.
 * The supervisor calls it for each reload; the workers get what comes of it.
 */
import { failed, ok } from '../base/index.ts';
import type { NodeRequest } from '../cli/index.ts';
import { planReload } from '../config/index.ts';
import type { Reread } from '../supervisor/index.ts';
import type { ProcessLogger } from '../telemetry/index.ts';
import { fitToHost } from './host-limits.ts';
import { logRules } from './log-rules.ts';

/** The reader of the node that `request` started. Its own log follows the file, too. */
export function rereadOf(
  request: NodeRequest,
  doors: { readonly descriptorsMax: number | null; readonly logs: ProcessLogger },
): Reread {
  let running = request.keys;
  return () => {
    const loaded = request.reread();
    if (!loaded.ok) return loaded;
    const plan = planReload(running, loaded.value.keys);
    if (!plan.ok) return failed(plan.error.map((problem) => `${request.file}: ${problem}`));
    const { keys, config: planned, changes } = plan.value;
    running = keys;
    const { config, warnings } = fitToHost(planned, doors.descriptorsMax);
    doors.logs.adjust(logRules(config));
    return ok({ config, changes, warnings: [...loaded.value.warnings, ...warnings] });
  };
}
