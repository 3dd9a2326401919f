/** What the nodes of a cluster agree on: the replicated log, driven by its disk and its peers. */
export type * from './doors.ts';
export { type EmbeddedEvents, EmbeddedLog, type EmbeddedOptions } from './embedded.ts';
export type * from './foreign-cursor.ts';
export * from './foreign-feed.ts';
export type * from './log-doors.ts';
export type { LogEventName, LogEvents } from './log-events.ts';
export type { ChangeCodec, LogMode, LogOptions, ReplicatedState } from './log-options.ts';
export type { LogReplica, LogStatus, ReplicaViews, Silence } from './log-status.ts';
export type * from './log-store.ts';
export { ReplicatedLog, type SubmitOptions, type WaitOptions } from './replicated-log.ts';
