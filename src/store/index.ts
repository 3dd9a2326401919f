/** What the nodes of a cluster agree on: the replicated log, driven by its disk and its peers. */
export type * from './log-store.ts';
