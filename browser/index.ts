/** `arrokoth/browser`: a page's connection to Arrokoth, opened again whenever that is sensible. */
export { ArrokothSocket, type ArrokothSocketEvents, type ArrokothSocketOptions } from './arrokoth-socket.ts';
export type { SocketState, SocketStatus } from './reconnection.ts';
