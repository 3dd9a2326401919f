/**
 * What the host allows, set against what the configuration asks for.
 *
 * Pure. A node that runs out of file descriptors refuses callbacks and journals as well as clients,
 * so it promises fewer connections instead.
 */
import { DEFAULTS } from '../base/index.ts';
import type { Config } from '../config/index.ts';

/** Files, callbacks, links and listeners of one worker beside its clients. */
const DESCRIPTORS_KEPT = 512;

/** A configuration that fits the host, and what had to give way. */
export interface FittedConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
}

/** Lowers `limits.connections` to what the workers' descriptors allow. */
export function fitToHost(config: Config, descriptorsMax: number | null): FittedConfig {
  if (descriptorsMax === null) return { config, warnings: [] };
  const perWorkerMax = Math.max(1, descriptorsMax - DESCRIPTORS_KEPT);
  const connectionsMax = perWorkerMax * config.workers;
  const wanted = config.limits.connectionsMax;
  if (wanted <= connectionsMax) return { config, warnings: [] };
  const fitted = { ...config, limits: { ...config.limits, connectionsMax } };
  // Nobody asked for the default, so nobody needs to be told that it gave way.
  if (wanted === DEFAULTS.connectionsMax) return { config: fitted, warnings: [] };
  return {
    config: fitted,
    warnings: [
      `limits.connections is ${wanted}, but ${config.workers} worker(s) of ${descriptorsMax} file ` +
        `descriptors each hold ${connectionsMax}; that is the limit now. Raise \`ulimit -n\` for more.`,
    ],
  };
}
