/**
 * What the configuration says about log lines, in the words of the logger.
 */
import type { Config } from '../config/index.ts';
import type { LogRules } from '../telemetry/index.ts';

/** The rules of a process that acts on `config`. */
export function logRules({ log }: Pick<Config, 'log'>): LogRules {
  return { level: log.level, showSecrets: log.headers };
}
