/**
 * The state of the example: keys and values, and the changes that are made to them.
 *
 * Bytes are those of the example that the protocol comes from, so that its programs can be members:
 * words joined by `×` (U+00D7). A key or value that holds that sign cannot be told from two: such a
 * change is refused before it is submitted, and of one that comes in anyway the rest is cut off.
 */
import type { ChangeCodec, ReplicatedState } from 'arrokoth';

/** What can be done to one key. */
export type KvChange =
  | { readonly type: 'add'; readonly key: string; readonly value: string }
  | { readonly type: 'remove'; readonly key: string };

const SEPARATOR = '\u00d7';

/** Changes as bytes. */
export const kvCodec: ChangeCodec<KvChange> = {
  kind: 'kv',
  version: 1,
  encode(change) {
    const words = change.type === 'add' ? ['ADD', change.key, change.value] : ['RM', change.key, ''];
    if (words.some((word) => word.includes(SEPARATOR))) throw new Error(`a key or value holds ${SEPARATOR}`);
    return encode(words);
  },
  decode(bytes) {
    const [verb, key, value] = decode(bytes);
    if (verb === 'ADD' && key !== undefined && value !== undefined) return { type: 'add', key, value };
    if (verb === 'RM' && key !== undefined) return { type: 'remove', key };
    throw new Error('neither ADD with a key and a value, nor RM with a key');
  },
};

/** Keys and values; the same on every member that has applied the same changes. */
export class KeyValues implements ReplicatedState<KvChange> {
  readonly #values = new Map<string, string>();

  apply(change: KvChange): void {
    if (change.type === 'add') this.#values.set(change.key, change.value);
    else this.#values.delete(change.key);
  }

  /** In the order of the keys: equal states are equal bytes. */
  snapshot(): Uint8Array {
    const words = [...this.#values].sort(([left], [right]) => (left < right ? -1 : 1)).flat();
    // Each word is followed by the sign, the last one too.
    return encode(words.length === 0 ? [] : [...words, '']);
  }

  /** Replaces everything: a key that the snapshot lacks was removed. */
  install(bytes: Uint8Array): void {
    this.#values.clear();
    const words = decode(bytes);
    for (let index = 0; index + 1 < words.length; index += 2) {
      this.#values.set(words[index] as string, words[index + 1] as string);
    }
  }

  /** A flat object, in the order of the keys. */
  toJSON(): Record<string, string> {
    return Object.fromEntries([...this.#values].sort(([left], [right]) => (left < right ? -1 : 1)));
  }
}

function encode(words: readonly string[]): Uint8Array {
  return new TextEncoder().encode(words.join(SEPARATOR));
}

function decode(bytes: Uint8Array): string[] {
  return new TextDecoder().decode(bytes).split(SEPARATOR);
}
