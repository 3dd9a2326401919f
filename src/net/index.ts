export { showsToken } from './bearer.ts';
export * from './types.ts';
