/**
 * The keys under `overload:`: from where on a worker has too much to do.
 *
 * What follows from them is in `relay/overload.ts` and, for operators, in the guide.
 */
import { DEFAULTS } from '../../base/index.ts';
import { durationField, integerField } from '../fields/field.ts';

const HOUR_MS = 3_600_000;

/** The keys of the group. */
export const overloadKeys = {
  lag: durationField({
    reload: 'live',
    fallbackMs: DEFAULTS.overloadLagMs,
    maxMs: HOUR_MS,
    description: 'Lag of its event loop at which a worker admits nobody; `0s`: any.',
    reason: 'The middle of all turns of half a second, three times in a row; one long turn does not count.',
  }),
  lag_shed: durationField({
    reload: 'live',
    fallbackMs: DEFAULTS.overloadShedLagMs,
    maxMs: HOUR_MS,
    description: 'Lag at which it also ends the connections that most bytes wait for; `0s`: any.',
    reason: 'At least `overload.lag`.',
  }),
  heap: integerField({
    reload: 'live',
    fallback: DEFAULTS.overloadHeapPercent,
    min: 0,
    max: 100,
    description: 'Percent of its heap limit at which a worker admits nobody; `0`: any.',
    reason: 'Buffers count too: what waits for slow clients is in them.',
  }),
  heap_shed: integerField({
    reload: 'live',
    fallback: DEFAULTS.overloadShedHeapPercent,
    min: 0,
    max: 100,
    description: 'Percent at which it also ends the connections that most bytes wait for; `0`: any.',
    reason: 'At least `overload.heap`.',
  }),
  descriptors: integerField({
    reload: 'live',
    fallback: DEFAULTS.overloadDescriptorsPercent,
    min: 0,
    max: 100,
    description:
      'Percent of its descriptors, the reserve excepted, at which a worker admits nobody; `0`: any.',
    reason: 'A node that holds `limits.connections` comes near 100. Never sheds.',
  }),
} as const;

/** Values of the group, checked one by one. */
interface OverloadValues {
  readonly lag: number;
  readonly lag_shed: number;
  readonly heap: number;
  readonly heap_shed: number;
}

type Issues = { addIssue(issue: { code: 'custom'; message: string; path?: PropertyKey[] }): void };

/** Shedding before refusing would make room for those who come, at the cost of those who are here. */
export function checkOverload(values: OverloadValues, issues: Issues): void {
  for (const key of ['lag', 'heap'] as const) {
    const shed = values[`${key}_shed`];
    if (shed === 0 || (values[key] > 0 && shed >= values[key])) continue;
    const message =
      values[key] === 0
        ? `expected 0 while overload.${key} is 0: nobody is shed while others are admitted`
        : `expected at least overload.${key}, or 0; raise this one or lower that one`;
    issues.addIssue({ code: 'custom', message, path: [`${key}_shed`] });
  }
}
