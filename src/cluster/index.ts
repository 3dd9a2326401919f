/** What the nodes of a cluster agree on, as rules without a world: a change goes in, events come out. */
export type * from './types.ts';
