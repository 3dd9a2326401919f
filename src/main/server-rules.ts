/**
 * What the configuration says about a listener's server, in the words of `net/`.
 */
import { LIMITS } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import type { HttpServerRules } from '../net/index.ts';
import type { ListenerName } from '../process/index.ts';

/** Nobody upgrades at the operator's listener, so there is nothing to look after. */
const NO_WEBSOCKETS = { idleTimeoutMs: 0, ping: { intervalMs: 0, timeoutMs: 0 } } as const;

/** The rules of a listener's server that acts on `config`. */
export function serverRules(config: Config, listener: ListenerName): HttpServerRules {
  const { limits, slowClient, idleTimeoutMs, ping } = config;
  return {
    limits: { ...limits, headerLinesMax: headerLinesMax(config, listener) },
    slowClient,
    ...(listener === 'api' ? NO_WEBSOCKETS : { idleTimeoutMs, ping }),
  };
}

/** Each target of a call has a line of its own; clients need a few dozen. */
function headerLinesMax({ app, limits }: Config, listener: ListenerName): number {
  const servesCalls = listener === 'app' || (listener === 'public' && app.listen === null);
  return LIMITS.headerLinesMax + (servesCalls ? limits.targetsMax : 0);
}
