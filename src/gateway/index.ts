/** The gateway worker: WebSockets on one side, plain HTTP on the other. */
export type { GatewayDoors } from './doors.ts';
export { type DrainReport, Gateway } from './gateway.ts';
