/**
 * Compression whose figures a test can read by name, in time that the test moves.
 */
import type { Meter, Timers } from '../../base/index.ts';
import { type CompressionSettings, MessageCompression } from '../websocket/message-compression.ts';

/** Everything of two bytes and more is compressed, with room for all. */
export const EAGER: CompressionSettings = {
  level: 6,
  windowBits: 15,
  memoryLevel: 8,
  thresholdBytes: 2,
  turnBytesMax: 16 * 1_024 * 1_024,
  wireBytesMax: 16 * 1_024 * 1_024,
};

/** A compression, and what its metrics say; labelled ones as `name/value`. */
export function countedCompression(timers: Timers, settings: Partial<CompressionSettings> = {}) {
  const observed = new Map<string, () => number>();
  const counted = new Map<string, number>();
  const meter: Meter = {
    counter: ({ name }) => ({
      add: (amount, labels = {}) => {
        const key = [name, ...Object.values(labels)].join('/');
        counted.set(key, (counted.get(key) ?? 0) + amount);
      },
    }),
    histogram: () => ({ observe: () => {} }),
    observed: ({ name }, read) => observed.set(name, read),
    observedEach: () => {},
  };
  const compression = new MessageCompression({ ...EAGER, ...settings }, { timers, meter });
  const figure = (name: string): number =>
    observed.get(`arrokoth_${name}`)?.() ?? counted.get(`arrokoth_${name}`) ?? 0;
  return { compression, figure };
}
