/** A node's life: wanted workers against actual ones, its listeners, its orderly end. */

export { addressOf } from './cluster/addresses.ts';
export type { ClusterDoors, ClusterLog, ClusterPort, LogOrder } from './cluster/doors.ts';
export type { StartedNode, StopCause, SupervisorDoors } from './doors.ts';
export type { ListenerAddress } from './listeners.ts';
export type { Reread, RereadConfig } from './reloading.ts';
export { Supervisor } from './supervisor.ts';
export { readWatchOrder } from './watches.ts';
