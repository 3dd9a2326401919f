/** The gateway's rules, without sockets: what is admitted, asked, answered and kept in order. */
export * from './callback-requests.ts';
export * from './channel-order.ts';
export * from './close-reasons.ts';
export * from './connect-reply.ts';
export * from './delivery.ts';
export * from './directory.ts';
export * from './frame-type.ts';
export * from './grant.ts';
export * from './local-members.ts';
export * from './origin.ts';
export * from './outgoing-answer.ts';
export * from './paths.ts';
export * from './retry.ts';
export * from './session-life.ts';
export * from './slow-client.ts';
export * from './stats.ts';
export * from './upgrade-checks.ts';
