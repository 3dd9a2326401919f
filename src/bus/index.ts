/** Messages between the workers of a node. */
export * from './bus.ts';
export { type ClusterStanding, MeshBus, type MeshOptions } from './mesh.ts';
export { MeshAuth } from './mesh-auth.ts';
export * from './operator-messages.ts';
