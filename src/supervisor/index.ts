/** A node's life: wanted workers against actual ones, its listeners, its orderly end. */

export type { ListenerAddress } from './listeners.ts';
export { type StartedNode, type StopCause, Supervisor, type SupervisorDoors } from './supervisor.ts';
