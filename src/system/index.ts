/** The only place that reads the real clock, randomness, signals and host. */
export * from './clock.ts';
export * from './digest.ts';
export * from './host.ts';
export * from './keep-alive.ts';
export * from './random.ts';
export * from './signals.ts';
export * from './spare-descriptors.ts';
export * from './timers.ts';
export * from './vitals.ts';
export * from './watched-files.ts';
