/** The configuration file: its text in, a checked `Config` or all of its mistakes out. */
export * from './config.ts';
export type { Environment } from './environment.ts';
export { type LoadedConfig, parseConfig } from './load.ts';
export { type ConfigProblem, formatProblems } from './problem.ts';
export { renderReference } from './reference.ts';
export { configJsonSchema } from './schema.ts';
