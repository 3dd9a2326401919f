/** The configuration file: its text in, a checked `Config` or all of its mistakes out. */
export * from './config.ts';
export { type FileKeys, type KeyedConfig, withKeys } from './keys/file-keys.ts';
export { LiveConfig, type Settings } from './live-config.ts';
export { type LoadedConfig, parseConfig } from './load.ts';
export { renderReference } from './reference.ts';
export { type ConfigChanges, planReload, type ReloadPlan } from './reload-plan.ts';
export { configJsonSchema } from './schema.ts';
export type { Environment } from './text/environment.ts';
export { type ConfigProblem, formatProblems } from './text/problem.ts';
