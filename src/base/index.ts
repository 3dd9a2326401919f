/** The words everyone uses: invariants, errors, ids, limits, queues, and the doors to the world. */
export * from './assert.ts';
export * from './bounded-queue.ts';
export * from './errors.ts';
export * from './hash.ts';
export * from './ids.ts';
export * from './limits.ts';
export * from './member-limits.ts';
export * from './mesh-limits.ts';
export * from './mode.ts';
export * from './ports.ts';
export * from './result.ts';
export * from './utf8.ts';
export * from './worker-address.ts';
