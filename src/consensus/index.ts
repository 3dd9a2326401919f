/** The replicated log: one protocol, Raft's rules, as a plain object without a socket, clock or disk. */
export type { ReplicaOptions } from './core.ts';
export { type Founding, Replica, type Standing } from './replica.ts';
export { REPLICA_DEFAULTS, type ReplicaSettings } from './settings.ts';
export type * from './types.ts';
