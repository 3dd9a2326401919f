/** Messages between the workers of a node. */
export * from './bus.ts';
export { MeshBus, type MeshOptions } from './mesh.ts';
