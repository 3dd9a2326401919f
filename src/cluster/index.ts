/** What the nodes of a cluster agree on, as rules without a world: a change goes in, events come out. */
export { clusterCodec } from './codec.ts';
export * from './drain-plan.ts';
export * from './modes.ts';
export * from './node-name.ts';
export * from './placement.ts';
export { ClusterState } from './state.ts';
export type * from './types.ts';
