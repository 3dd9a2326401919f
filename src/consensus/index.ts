/** The replicated log: one protocol, Raft's rules, as a plain object without a socket, clock or disk. */
export type * from './types.ts';
