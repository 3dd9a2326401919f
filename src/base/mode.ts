/**
 * What a node admits: one word that rules, grants and operators share.
 *
 * How a node comes to its mode is decided in `cluster/`, what a mode means for a client in `relay/`.
 */

/** `initial`: not in contact with its cluster; a node falls into it and leaves it by itself. */
export type Mode = 'normal' | 'block_new_session' | 'block_new_connection' | 'initial';

/** All of them, the most open first. */
export const MODES: readonly Mode[] = ['normal', 'block_new_session', 'block_new_connection', 'initial'];
