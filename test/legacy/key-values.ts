/**
 * The original example's state: keys and values joined by U+00D7.
 *
 * A key that is set twice has the later value. `count` changes add up, so that a change that is applied
 * twice can be seen; the example has no such change. By default `install` replaces what is there, as a
 * snapshot should; the example merges instead.
 */
import type { LegacyApplication } from './legacy-receiver.ts';

const CROSS = '×';

export class KeyValues implements LegacyApplication {
  readonly #merges: boolean;
  #values: Map<string, string> = new Map();

  constructor(merges = false) {
    this.#merges = merges;
  }

  static add(key: string, value: string): Uint8Array {
    return Buffer.from(['ADD', key, value].join(CROSS));
  }

  static remove(key: string): Uint8Array {
    return Buffer.from(['RM', key, ''].join(CROSS));
  }

  /** Adds one to the number under `key`. */
  static count(key: string): Uint8Array {
    return Buffer.from(['COUNT', key, ''].join(CROSS));
  }

  apply(change: Uint8Array): void {
    const [verb, key = '', value = ''] = Buffer.from(change).toString().split(CROSS);
    if (verb === 'ADD') this.#values.set(key, value);
    else if (verb === 'RM') this.#values.delete(key);
    else if (verb === 'COUNT') this.#values.set(key, String(Number(this.#values.get(key) ?? 0) + 1));
  }

  snapshot(): Uint8Array {
    return Buffer.from([...this.#values].map(([key, value]) => `${key}${CROSS}${value}${CROSS}`).join(''));
  }

  install(bytes: Uint8Array): void {
    if (!this.#merges) this.#values.clear();
    const parts = Buffer.from(bytes).toString().split(CROSS);
    for (let at = 0; at + 1 < parts.length; at += 2) {
      this.#values.set(parts[at] as string, parts[at + 1] as string);
    }
  }

  toObject(): Record<string, string> {
    return Object.fromEntries(this.#values);
  }
}
