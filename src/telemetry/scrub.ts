/**
 * What a log line may hold: short, shallow, and without secrets.
 *
 * A net under the rope. Callers do not log bodies, tokens or cookies; should one ever slip in under
 * its usual name or as raw bytes, it ends here. Pure: fields in, fields out. `logger.ts` drives it.
 */
import type { LogFields } from '../base/index.ts';

/** Bounds that keep a line below the 4 KiB that a pipe takes in one piece, in all but odd cases. */
export const LOG_BOUNDS = { textCharsMax: 1_000, stackCharsMax: 2_000, entriesMax: 32, depthMax: 4 } as const;

/** Stands where a secret stood. */
export const HIDDEN = '[hidden]';

const SECRET_NAMES = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'token']);

/**
 * What JSON leaves as it is although a terminal obeys it: controls beyond ASCII, and marks that turn
 * the direction of the text around. Clients choose paths, and people read logs on terminals.
 */
const UNSEEN = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Copies `fields` with secrets hidden and everything long, deep or binary cut down. */
export function scrubFields(fields: LogFields, options: { readonly showSecrets: boolean }): LogFields {
  return scrubRecord(fields, options.showSecrets, 0);
}

function scrubRecord(record: LogFields, showSecrets: boolean, depth: number): Record<string, unknown> {
  const scrubbed: Record<string, unknown> = {};
  let entries = 0;
  for (const name in record) {
    if (entries++ >= LOG_BOUNDS.entriesMax) {
      scrubbed['…'] = 'more fields were left out';
      break;
    }
    // As a name it would exchange the prototype of the line.
    if (name === '__proto__') continue;
    const hidden = !showSecrets && SECRET_NAMES.has(name.toLowerCase());
    scrubbed[name] = hidden ? HIDDEN : scrubValue(record[name], showSecrets, depth);
  }
  return scrubbed;
}

function scrubValue(value: unknown, showSecrets: boolean, depth: number): unknown {
  if (typeof value === 'string') return shorten(value, LOG_BOUNDS.textCharsMax);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return scrubError(value, showSecrets, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= LOG_BOUNDS.depthMax) return '[…]';
  if (Array.isArray(value)) return scrubList(value, showSecrets, depth + 1);
  return scrubRecord(value as LogFields, showSecrets, depth + 1);
}

function scrubList(list: readonly unknown[], showSecrets: boolean, depth: number): unknown[] {
  const scrubbed: unknown[] = [];
  for (const value of list.slice(0, LOG_BOUNDS.entriesMax)) {
    scrubbed.push(scrubValue(value, showSecrets, depth));
  }
  if (list.length > scrubbed.length) scrubbed.push(`… ${list.length - scrubbed.length} more`);
  return scrubbed;
}

function scrubError(error: Error, showSecrets: boolean, depth: number): unknown {
  const { code } = error as { code?: unknown };
  const scrubbed: Record<string, unknown> = {
    name: error.name,
    message: shorten(error.message, LOG_BOUNDS.textCharsMax),
  };
  if (typeof code === 'string') scrubbed.code = code;
  if (error.stack !== undefined) scrubbed.stack = shorten(error.stack, LOG_BOUNDS.stackCharsMax);
  if (error.cause !== undefined && depth < LOG_BOUNDS.depthMax) {
    scrubbed.cause = scrubValue(error.cause, showSecrets, depth + 1);
  }
  return scrubbed;
}

function shorten(text: string, charsMax: number): string {
  const short = text.length <= charsMax ? text : `${text.slice(0, charsMax)}… (${text.length} characters)`;
  return short.replace(UNSEEN, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
