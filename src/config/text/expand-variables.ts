/**
 * `${VAR}` and `${VAR:-default}` inside one value of the file.
 *
 * Runs on single values after YAML has been read, never on the text of the file, so that what a
 * variable holds cannot add a key or end a string. `$${` stands for a literal `${`.
 */
import { failed, ok, type Result } from '../../base/index.ts';
import { type Environment, lookUp } from './environment.ts';

/** No value of the configuration is meant to be longer once its variables are filled in. */
const VALUE_LENGTH_MAX = 65_536;

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const CONTENT = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** The value with its variables filled in, or what is wrong with its references. */
export function expandVariables(text: string, environment: Environment): Result<string, string> {
  let expanded = '';
  let end = 0;
  for (const match of text.matchAll(REFERENCE)) {
    expanded += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[1] === undefined) {
      expanded += '${';
      continue;
    }
    const value =
      match[2] === '' ? failed('a variable reference is not closed by }') : resolve(match[1], environment);
    if (!value.ok) return value;
    expanded += value.value;
    if (expanded.length > VALUE_LENGTH_MAX) break;
  }
  expanded += text.slice(end);
  if (expanded.length > VALUE_LENGTH_MAX) {
    return failed(`the value is longer than ${VALUE_LENGTH_MAX} characters once expanded`);
  }
  return ok(expanded);
}

/** Protects a value from expansion: what the environment holds is never expanded again. */
export function escapeVariables(text: string): string {
  // A function, because in a replacement text `$$` would stand for one `$`.
  return text.replaceAll('${', () => '$${');
}

function resolve(content: string, environment: Environment): Result<string, string> {
  const parts = CONTENT.exec(content);
  if (parts === null) {
    const forms = `write \${VAR}, \${VAR:-default}, or $\${ for a literal \${`;
    return failed(`\${${content.slice(0, 60)}} is not a reference; ${forms}`);
  }
  const name = parts[1] as string;
  const fallback = parts[2];
  if (fallback?.includes('${')) return failed(`the default of \${${name}} may not refer to another variable`);
  const value = lookUp(environment, name);
  if (fallback !== undefined) return ok(value === undefined || value === '' ? fallback : value);
  if (value !== undefined) return ok(value);
  return failed(`the environment variable ${name} is not set; set it, or write \${${name}:-default}`);
}
