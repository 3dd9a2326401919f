/**
 * A file as its keys: what was written, and what was read of it.
 *
 * Files are put together here from the keys of others: a command line's flags over a file, or those
 * keys of a new file that a running node can take over. What comes of it passes the same readers and
 * the same checks as any file.
 */
import { failed, ok, type Result } from '../../base/index.ts';
import type { Config } from '../config.ts';
import { type FileValues, fileKeys, fileSchema } from '../schema.ts';
import { Scalar } from '../text/scalar.ts';
import { toConfig } from '../to-config.ts';
import { type Keys, keysOfGroup } from './group.ts';

/** One reading of a file. Opaque outside of this room. */
export interface FileKeys {
  /** Mappings, lists and `Scalar`s, as `config-tree.ts` makes them. */
  readonly tree: unknown;
  /** Checked, under the same names. */
  readonly values: FileValues;
}

/** A configuration with the keys that it was made of. */
export interface KeyedConfig {
  readonly config: Config;
  readonly keys: FileKeys;
}

/** One key that is no group: its full name, such as `callback.breaker.rest`, and its reader. */
export interface NamedKey {
  readonly name: string;
  readonly path: readonly string[];
  readonly reader: Keys[string];
}

/** Every key of a file, in the order of the reference page. */
export const ALL_KEYS: readonly NamedKey[] = keysBelow([], fileKeys);

/** Sets keys of a file, each given as the text that could stand in it. The failure is one line a problem. */
export function withKeys(
  keys: FileKeys,
  changes: Readonly<Record<string, string>>,
): Result<KeyedConfig, string[]> {
  return joinKeys(({ name, path }) => {
    const text = changes[name];
    return text === undefined ? writtenAt(keys, path) : new Scalar(text, { plain: false });
  });
}

/** Makes a file whose keys have what `written` says; undefined: the key is left out. */
export function joinKeys(written: (key: NamedKey) => unknown): Result<KeyedConfig, string[]> {
  const tree: Record<string, unknown> = {};
  for (const key of ALL_KEYS) {
    const value = written(key);
    if (value !== undefined) put(tree, key.path, value);
  }
  const outcome = fileSchema.safeParse(tree);
  if (outcome.success) return ok({ config: toConfig(outcome.data), keys: { tree, values: outcome.data } });
  return failed(outcome.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
}

/** What was written for a key; undefined: nothing. */
export function writtenAt(keys: FileKeys, path: readonly string[]): unknown {
  return at(keys.tree, path);
}

/** What a key was read as. */
export function valueAt(keys: FileKeys, path: readonly string[]): unknown {
  return at(keys.values, path);
}

function keysBelow(path: readonly string[], keys: Keys): NamedKey[] {
  return Object.entries(keys).flatMap(([name, reader]) => {
    const below = [...path, name];
    const inside = keysOfGroup(reader);
    return inside === null ? [{ name: below.join('.'), path: below, reader }] : keysBelow(below, inside);
  });
}

function at(tree: unknown, path: readonly string[]): unknown {
  let found = tree;
  for (const name of path) {
    // A group that was written without a value is a scalar, and holds nothing.
    if (typeof found !== 'object' || found === null || found instanceof Scalar) return undefined;
    found = Object.hasOwn(found, name) ? (found as Record<string, unknown>)[name] : undefined;
  }
  return found;
}

function put(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) tree[name] = value;
  else {
    tree[name] ??= {};
    put(tree[name] as Record<string, unknown>, rest, value);
  }
}
