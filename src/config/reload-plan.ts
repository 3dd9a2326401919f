/**
 * What becomes of a running node when its file is read again: which keys change now, which wait.
 *
 * Pure. Only names are told, because values may be secrets. What a key's card says about `reload`
 * decides; a key that needs a restart keeps what the node was started with.
 */
import { z } from 'zod';
import { failed, ok, type Result } from '../base/index.ts';
import type { FieldCard, Reload } from './fields/field.ts';
import { ALL_KEYS, type FileKeys, joinKeys, type KeyedConfig, valueAt, writtenAt } from './keys/file-keys.ts';

/** Names of keys such as `callback.connect`, in the order of the reference page. */
export interface ConfigChanges {
  /** Differ, and can be applied now. */
  readonly live: readonly string[];
  /** Differ, and wait for a restart. */
  readonly restart: readonly string[];
}

/** What a node should run with from now on: live keys as wanted, all others as they were. */
export interface ReloadPlan extends KeyedConfig {
  readonly changes: ConfigChanges;
}

const RELOADABLE = ALL_KEYS.map((key) => {
  const card = z.globalRegistry.get(key.reader) as unknown as FieldCard;
  return { ...key, reload: card['x-reload'] };
});

/** Which keys differ. */
export function diffConfigs(before: FileKeys, after: FileKeys): ConfigChanges {
  const changed = RELOADABLE.filter(({ path }) => !isSame(valueAt(before, path), valueAt(after, path)));
  const named = (reload: Reload): string[] =>
    changed.filter((key) => key.reload === reload).map(({ name }) => name);
  return { live: named('live'), restart: named('restart') };
}

/**
 * What to do when a node that runs with `running` is asked for `wanted`. The failure says why the
 * live keys cannot be applied before the others: together with what is in force they would make a
 * configuration that no file may have, such as a listener for everybody without a token.
 */
export function planReload(running: FileKeys, wanted: FileKeys): Result<ReloadPlan, string[]> {
  const reloads = new Map(RELOADABLE.map(({ name, reload }) => [name, reload]));
  const joined = joinKeys(({ name, path }) =>
    writtenAt(reloads.get(name) === 'live' ? wanted : running, path),
  );
  if (joined.ok) return ok({ ...joined.value, changes: diffConfigs(running, wanted) });
  const why = '(as long as the keys that need a restart have the values that the node was started with)';
  return failed(joined.error.map((problem) => `${problem} ${why}`));
}

/** Values are plain data, and the reader of a key always builds them in the same way. */
function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
