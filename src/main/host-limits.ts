/**
 * What the host allows, set against what the configuration asks for.
 *
 * Pure. A node that runs out of file descriptors refuses callbacks and journals as well as clients,
 * so it promises fewer connections instead, and keeps a reserve that clients cannot take.
 */
import { DEFAULTS, LIMITS } from '../base/index.ts';
import type { Config } from '../config/index.ts';

/** Files, links and listeners of one worker. */
const DESCRIPTORS_OF_OWN = 64;
/** The part of the reserve that not even an idle one gives to clients. */
export const DESCRIPTORS_NEVER_GIVEN: number = DESCRIPTORS_OF_OWN + LIMITS.refusedSocketsMax;
/** Sockets that have not become connections yet, before the reserve is touched. */
const DESCRIPTORS_IN_BETWEEN = 128;

/** A configuration that fits the host, and what had to give way. */
export interface FittedConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
}

/**
 * Descriptors of a worker that clients cannot take: for callbacks in flight, as many again that are
 * late, what is passed on to the application, files of its own and clients that are told to come
 * later. At most half of what there is.
 */
export function descriptorReserve(
  descriptorsMax: number,
  { callback, upstream }: Pick<Config, 'callback' | 'upstream'>,
): number {
  const passedOn = upstream.backends === null ? 0 : upstream.maxInFlight + upstream.tunnelsMax;
  const wanted = 2 * callback.maxInFlight + passedOn + DESCRIPTORS_NEVER_GIVEN;
  return Math.min(wanted, Math.floor(descriptorsMax / 2));
}

/** Lowers `limits.connections` and `callback.max_in_flight` to what the workers' descriptors allow. */
export function fitToHost(config: Config, descriptorsMax: number | null): FittedConfig {
  if (descriptorsMax === null || descriptorsMax === Number.POSITIVE_INFINITY) return { config, warnings: [] };
  const warnings: string[] = [];
  const maxInFlight = fitCallbacks(config, descriptorsMax, warnings);
  const callback = { ...config.callback, maxInFlight };
  const reserve = descriptorReserve(descriptorsMax, { ...config, callback });
  const connectionsMax = fitConnections(config, { descriptorsMax, reserve }, warnings);
  const limits = { ...config.limits, connectionsMax };
  return { config: { ...config, limits, callback }, warnings };
}

function fitCallbacks(config: Config, descriptorsMax: number, warnings: string[]): number {
  const wanted = config.callback.maxInFlight;
  const room = Math.floor(descriptorsMax / 2) - DESCRIPTORS_NEVER_GIVEN;
  const fitting = Math.max(1, Math.floor(room / 2));
  if (wanted <= fitting) return wanted;
  // Nobody asked for the default, so nobody needs to be told that it gave way.
  if (wanted !== DEFAULTS.callbackMaxInFlight) {
    warnings.push(
      `callback.max_in_flight is ${wanted}, but a worker has ${descriptorsMax} file descriptors, half of ` +
        `them for clients; ${fitting} is the limit now. Raise \`ulimit -n\` for more.`,
    );
  }
  return fitting;
}

function fitConnections(
  config: Config,
  { descriptorsMax, reserve }: { readonly descriptorsMax: number; readonly reserve: number },
  warnings: string[],
): number {
  const wanted = config.limits.connectionsMax;
  const perWorkerMax = Math.max(1, descriptorsMax - reserve - DESCRIPTORS_IN_BETWEEN);
  const fitting = perWorkerMax * config.workers;
  if (wanted <= fitting) return wanted;
  if (wanted !== DEFAULTS.connectionsMax) {
    warnings.push(
      `limits.connections is ${wanted}, but ${config.workers} worker(s) of ${descriptorsMax} file ` +
        `descriptors each hold ${fitting}; that is the limit now. Raise \`ulimit -n\` for more.`,
    );
  }
  return fitting;
}
