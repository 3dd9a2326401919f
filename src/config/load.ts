/**
 * From the text of a configuration file to a `Config`, or to everything that is wrong with it.
 *
 * Template, YAML, variables, schema: each step reports all it finds, and the next one runs only on
 * sound ground. Nothing is read from the host here; text and environment come in as parameters.
 */
import type { z } from 'zod';
import { failed, ok, type Result } from '../base/index.ts';
import type { Config } from './config.ts';
import type { FileKeys } from './keys/file-keys.ts';
import { type Keys, keysOfGroup } from './keys/group.ts';
import { fileKeys, fileSchema, GROUPS, topKeys } from './schema.ts';
import { type ConfigTree, readConfigTree } from './text/config-tree.ts';
import type { Environment } from './text/environment.ts';
import { escapeVariables } from './text/expand-variables.ts';
import { LineIndex } from './text/line-index.ts';
import { nearestName } from './text/nearest-name.ts';
import { type ConfigProblem, formatPlace } from './text/problem.ts';
import { renderTemplate } from './text/template.ts';
import { adviseOn, toConfig } from './to-config.ts';

/** A file is a page or two; what is larger was given by mistake. */
export const CONFIG_FILE_BYTES_MAX = 1_048_576;

/** A configuration, and what the operator should know about it. */
export interface LoadedConfig {
  readonly config: Config;
  /** The same as the keys of a file, for whoever compares or changes some of them. */
  readonly keys: FileKeys;
  /** Each a whole sentence, with the place in the file where it has one. */
  readonly warnings: readonly string[];
}

/** Reads the file at `path` whose content is `text`; never throws, whatever the text holds. */
export function parseConfig(input: {
  readonly text: string;
  readonly path: string;
  readonly env: Environment;
}): Result<LoadedConfig, ConfigProblem[]> {
  const { text, path, env } = input;
  if (Buffer.byteLength(text) > CONFIG_FILE_BYTES_MAX) {
    const message = `the file is larger than ${CONFIG_FILE_BYTES_MAX} bytes; is it the right one?`;
    return failed([{ line: 1, column: 1, key: '', message }]);
  }
  const lines = new LineIndex(text);
  const rendered = renderTemplate(text, withoutVariables(env));
  if (!rendered.ok) {
    return failed(
      rendered.error.map(({ offset, message }) => ({ ...lines.position(offset), key: '', message })),
    );
  }
  const place = (offset: number) => lines.position(rendered.value.sourceOffset(offset));
  const tree = readConfigTree(rendered.value.text, env);
  const outcome = fileSchema.safeParse(tree.root);
  const problems = tree.problems.map(({ offset, path: keys, message }) => ({
    ...place(offset),
    key: keys.join('.'),
    message,
  }));
  for (const { keys, message } of outcome.success ? [] : outcome.error.issues.flatMap(readIssue)) {
    problems.push({ ...place(tree.offsetOf(keys)), key: keys.map(String).join('.'), message });
  }
  if (problems.length > 0 || !outcome.success) return failed(problems.sort(byPlace));
  const config = toConfig(outcome.data);
  return ok({
    config,
    keys: { tree: tree.root, values: outcome.data },
    warnings: [...collectRemarks(tree, { path, place }), ...adviseOn(config)],
  });
}

function collectRemarks(
  tree: ConfigTree,
  file: { readonly path: string; place(offset: number): { line: number; column: number } },
): string[] {
  return tree.scalars.flatMap(({ scalar, path: keys }) => {
    const place = { ...file.place(tree.offsetOf(keys)), key: keys.join('.') };
    return scalar.remarks.map((remark) => `${formatPlace(file.path, place)}: ${remark}`);
  });
}

/** What a template pastes must not be read as a variable of ours afterwards. */
function withoutVariables(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value && escapeVariables(value)]),
  );
}

function byPlace(left: ConfigProblem, right: ConfigProblem): number {
  return left.line - right.line || left.column - right.column;
}

interface Complaint {
  readonly keys: readonly PropertyKey[];
  readonly message: string;
}

function readIssue(issue: z.core.$ZodIssue): Complaint[] {
  if (issue.code !== 'unrecognized_keys') return [{ keys: issue.path, message: issue.message }];
  return issue.keys.map((key) => ({
    keys: [...issue.path, key],
    message: `unknown key${suggest(issue.path.map(String), key)}`,
  }));
}

/** The key that was probably meant: a sister with a similar name, or the same name elsewhere. */
function suggest(group: readonly string[], key: string): string {
  const sisters = Object.keys(keysAt(group));
  const near = nearestName(key, sisters);
  if (near !== null) return `, did you mean ${[...group, near].join('.')}?`;
  const homes = Object.keys(GROUPS).filter((name) => Object.hasOwn(keysAt([name]), key));
  const elsewhere = [...(Object.hasOwn(topKeys, key) ? [key] : []), ...homes.map((home) => `${home}.${key}`)];
  if (elsewhere.length > 0) return `, did you mean ${elsewhere.join(' or ')}?`;
  return group.length === 0
    ? '; the reference of the configuration file lists all'
    : `; known here are ${sisters.join(', ')}`;
}

function keysAt(path: readonly string[]): Keys {
  let keys: Keys = fileKeys;
  for (const name of path) keys = keysOfGroup(keys[name]) ?? {};
  return keys;
}
