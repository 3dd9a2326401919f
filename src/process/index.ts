/** Worker processes, their typed messages, and sockets that outlive them. */
export * from './bind.ts';
export * from './control-messages.ts';
export * from './control-socket.ts';
export * from './messages.ts';
export * from './worker-channel.ts';
export * from './worker-process.ts';
