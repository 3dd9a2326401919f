/**
 * One window of one load: warmed up, counted, stopped.
 *
 * What every load maker does with what it was ordered to do, whatever its load consists of.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Load } from './load.ts';
import type { MeasuringWindow } from './measuring-window.ts';
import type { Measurement } from './orders.ts';

/** How long what is under way may take to be done after the window. */
const STRAGGLERS_MS = 20_000;

/** Runs `load`; throws what is missing when it does not come to an end. */
export async function measureLoad(
  load: Load,
  window: MeasuringWindow,
  pace: { readonly warmUpMs: number; readonly windowMs: number },
): Promise<Measurement> {
  load.start();
  await sleep(pace.warmUpMs);
  window.open();
  await sleep(pace.windowMs);
  const measurement = window.close();
  const stopped = new Promise<true>((resolve) => load.stop(() => resolve(true)));
  const late = sleep(STRAGGLERS_MS, false, { ref: false });
  if (!(await Promise.race([stopped, late]))) throw new Error(`not done: ${load.missing()}`);
  return measurement;
}
