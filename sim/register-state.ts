/**
 * The state that the simulated cluster agrees on: registers by key, and a hash of all that was applied.
 *
 * The hash is a chain over every change in its order, so two nodes that applied the same changes in
 * another order, or one of them twice, differ for ever after, also through snapshots.
 */
import { crc32 } from 'node:zlib';
import type { Index } from '../src/consensus/index.ts';

/** The one kind of change that the workload proposes. */
export const REGISTER_KIND = 'register';
export const REGISTER_VERSION = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Sets a register; neither text holds a space. `weight`: bytes that mean nothing, but are written. */
export function encodePut(key: string, value: string, weight = 0): Uint8Array {
  return encoder.encode(`${key} ${value} ${'.'.repeat(weight)}`);
}

/** Registers, with the order of everything that ever happened to them as a hash. */
export class RegisterState {
  #values = new Map<string, string>();
  #low = 0x811c9dc5;
  #high = 0x2545f491;
  applied: Index = 0;

  get(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  /** 53 bits of it: as many as a number holds exactly. */
  get hash(): number {
    return (this.#high >>> 0) * 2 ** 21 + (this.#low >>> 11);
  }

  /** Applies one submission. */
  put(index: Index, changes: readonly Uint8Array[]): void {
    this.applied = index;
    this.#mix(index);
    for (const change of changes) {
      this.#mix(crc32(change));
      const [key, value] = decoder.decode(change).split(' ', 2) as [string, string];
      this.#values.set(key, value);
    }
  }

  snapshot(): Uint8Array {
    const values = [...this.#values].sort(([left], [right]) => (left < right ? -1 : 1));
    return encoder.encode(JSON.stringify({ low: this.#low, high: this.#high, values }));
  }

  install(index: Index, bytes: Uint8Array): void {
    const kept = JSON.parse(decoder.decode(bytes)) as {
      low: number;
      high: number;
      values: [string, string][];
    };
    this.#values = new Map(kept.values);
    this.#low = kept.low;
    this.#high = kept.high;
    this.applied = index;
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#high = (Math.imul(this.#high ^ (this.#low >>> 13), 0x5bd1e995) + word) | 0;
  }
}
