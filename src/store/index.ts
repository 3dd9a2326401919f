/** What the nodes of a cluster agree on: the replicated log, driven by its disk and its peers. */
export type * from './doors.ts';
export { type EmbeddedEvents, EmbeddedLog, type EmbeddedOptions } from './embedded.ts';
export type * from './foreign-cursor.ts';
export * from './foreign-feed.ts';
export type * from './log-store.ts';
