/** The configuration file: its text in, a checked `Config` or all of its mistakes out. */
export * from './config.ts';
export { formatDuration, parseDuration } from './duration.ts';
export type { Environment } from './environment.ts';
export { CONFIG_FILE_BYTES_MAX, type LoadedConfig, parseConfig } from './load.ts';
export { type ConfigProblem, formatProblems } from './problem.ts';
export { renderReference } from './reference.ts';
export { configJsonSchema } from './schema.ts';
export { formatTcpAddress, isLoopback, parseTcpAddress } from './tcp-address.ts';
