/**
 * The kinds of keys that a configuration file has, each with its reader and its description.
 *
 * A field is a zod schema that takes a `Scalar` of the file and gives the value the program uses.
 * Its metadata is JSON Schema for editors plus `x-` words for the reference page. All messages say
 * what was expected and what was met; secrets are never repeated.
 */
import { z } from 'zod';
import { failed, ok, type Result } from '../../base/index.ts';
import { nearestName } from '../text/nearest-name.ts';
import { quoteShort } from '../text/problem.ts';
import { readBoolean, readNumber, Scalar } from '../text/scalar.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { formatSize, parseSize } from './size.ts';

/** What every key tells its reader. */
export interface Notes {
  /** One or two sentences: what the key does. */
  readonly description: string;
  /** Which values are allowed and why, or why the default is what it is. */
  readonly reason?: string;
  /** A value for the example file; the default when left out. */
  readonly example?: string | number | boolean;
  /** Whether a running node takes a new value over; a restart is needed when left out. */
  readonly reload?: Reload;
}

/** How a new value of a key comes into force: as the file is read again, or with the next start. */
export type Reload = 'live' | 'restart';

/** What the reference page needs of a field; part of its metadata. */
export interface FieldCard {
  readonly description: string;
  readonly 'x-type': string;
  readonly 'x-default': string;
  readonly 'x-reason': string;
  readonly 'x-example': string | number | boolean;
  readonly 'x-reload': Reload;
}

/** How one kind of key is read and described. */
export interface FieldSpec<Value> extends Notes {
  readonly type: string;
  /** JSON Schema keywords of the value as an editor sees it. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly fallback: Value;
  /** How the default is written down; in words, when it is null. */
  readonly defaultText: string;
  /** Which values are allowed, when a sentence can be made of bounds. */
  readonly range?: string;
  /** How a wrong value is shown, where the value itself must not be. */
  readonly mask?: (text: string) => string;
  /** Whether a key without a value is wrong rather than left at its default. */
  readonly valueRequired?: boolean;
  /** The failure continues "expected ...". */
  read(scalar: Scalar): Result<Value, string>;
}

/** Timers of the host cannot wait longer: 2^31 - 1 ms. */
export const DURATION_MAX_MS = 24 * 24 * 3_600_000;

/** A string stands where a variable or a template fills in the value. */
const FILLED_IN = '\\$\\{|\\{\\{';

/** A key with a reader of its own. */
export function field<Value>(spec: FieldSpec<Value>) {
  const card: FieldCard = {
    description: spec.description,
    'x-type': spec.type,
    'x-default': spec.fallback === null ? spec.defaultText : `\`${spec.defaultText}\``,
    'x-reason': [spec.range, spec.reason].filter((part) => part !== undefined).join(' '),
    'x-example': spec.example ?? spec.defaultText,
    'x-reload': spec.reload ?? 'restart',
  };
  return z
    .unknown()
    .optional()
    .transform((input, context): Value => {
      const outcome = readField(spec, input);
      if (outcome.ok) return outcome.value;
      context.addIssue({ code: 'custom', message: outcome.error });
      return z.NEVER;
    })
    .meta({ ...card, ...spec.json });
}

/** What `input` says, for a key or for one item of a list. */
export function readField<Value>(spec: FieldSpec<Value>, input: unknown): Result<Value, string> {
  if (input === undefined) return ok(spec.fallback);
  if (!(input instanceof Scalar)) return failed(`expected a single value, got ${describeShape(input)}`);
  if (input.broken) return ok(spec.fallback);
  if (input.empty && spec.valueRequired !== true) return ok(spec.fallback);
  const outcome = spec.read(input);
  if (outcome.ok) return outcome;
  const met = input.empty ? 'nothing' : quoteShort(spec.mask?.(input.text) ?? input.text);
  return failed(`expected ${outcome.error}, got ${input.plain || input.empty ? met : `the text ${met}`}`);
}

/** What stands where a single value should. */
export function describeShape(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'string') return quoteShort(input);
  if (input instanceof Scalar) return input.empty ? 'nothing' : quoteShort(input.text);
  return 'a mapping';
}

/** `true` or `false`, in any of YAML 1.1's words for them. */
export function booleanField(notes: Notes & { readonly fallback: boolean }) {
  return field<boolean>({
    ...notes,
    type: 'boolean',
    json: { type: ['boolean', 'string'], default: notes.fallback },
    defaultText: String(notes.fallback),
    read: (scalar) => {
      const value = readBoolean(scalar);
      return value === null ? failed('true or false (without quotes)') : ok(value);
    },
  });
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A whole number within a range. */
export function integerField(notes: Notes & Range & { readonly fallback: number }) {
  const { min, max } = notes;
  return field<number>({
    ...notes,
    type: 'integer',
    json: {
      type: ['integer', 'string'],
      pattern: FILLED_IN,
      minimum: min,
      maximum: max,
      default: notes.fallback,
    },
    defaultText: String(notes.fallback),
    range: `From ${min} to ${max}.`,
    read: (scalar) => {
      const value = readNumber(scalar);
      const fits = value !== null && Number.isInteger(value) && value >= min && value <= max;
      return fits ? ok(value) : failed(`a whole number from ${min} to ${max} (without quotes)`);
    },
  });
}

/** A size in bytes within a range. */
export function sizeField(
  notes: Notes & { readonly fallbackBytes: number; readonly minBytes: number; readonly maxBytes: number },
) {
  const { fallbackBytes, minBytes, maxBytes } = notes;
  const range = `from ${formatSize(minBytes)} to ${formatSize(maxBytes)}`;
  return field<number>({
    ...notes,
    type: 'size',
    json: {
      type: ['integer', 'string'],
      minimum: minBytes,
      maximum: maxBytes,
      default: formatSize(fallbackBytes),
    },
    fallback: fallbackBytes,
    defaultText: formatSize(fallbackBytes),
    range: `F${range.slice(1)}.`,
    read: (scalar) => {
      const size = parseSize(scalar.text);
      if (!size.ok) return failed(`a size such as 64KiB (${size.error})`);
      const fits = size.value >= minBytes && size.value <= maxBytes;
      return fits ? size : failed(`a size ${range}`);
    },
  });
}

/** A duration in Go's notation; a bare number counts nanoseconds, as in kuiperbelt. */
export function durationField(
  notes: Notes & { readonly fallbackMs: number; readonly minMs?: number; readonly maxMs?: number },
) {
  const { fallbackMs, minMs = 0, maxMs = DURATION_MAX_MS } = notes;
  const lowest = minMs > 0 ? `at least ${formatDuration(minMs)}` : 'not negative';
  return field<number>({
    ...notes,
    type: 'duration',
    json: { type: ['string', 'integer'], default: formatDuration(fallbackMs) },
    fallback: fallbackMs,
    defaultText: formatDuration(fallbackMs),
    ...(maxMs < DURATION_MAX_MS || minMs > 1
      ? { range: `From ${formatDuration(minMs)} to ${formatDuration(maxMs)}.` }
      : {}),
    read: (scalar) => {
      const duration = readDuration(scalar);
      if (!duration.ok) return failed(`a duration such as 10s (${duration.error})`);
      const { value } = duration;
      if (value >= minMs && value <= maxMs) return ok(value);
      return failed(`a duration that is ${value > maxMs ? `at most ${formatDuration(maxMs)}` : lowest}`);
    },
  });
}

/** Whole milliseconds; what is not zero stays at least 1, because 0 often means "no bound". */
function readDuration(scalar: Scalar): Result<number, string> {
  const nanoseconds = readNumber(scalar);
  const duration = nanoseconds === null ? parseDuration(scalar.text) : ok(Math.trunc(nanoseconds) / 1e6);
  if (!duration.ok || duration.value === 0) return duration;
  if (nanoseconds !== null && Math.abs(duration.value) < 1) {
    scalar.remarks.push(
      `${scalar.text} without a unit means nanoseconds, as in kuiperbelt; did you mean ${scalar.text}s?`,
    );
  }
  return ok(duration.value < 0 ? duration.value : Math.max(1, Math.round(duration.value)));
}

/** One word of a fixed list. */
export function choiceField<const Choice extends string>(
  notes: Notes & { readonly choices: readonly Choice[]; readonly fallback: Choice },
) {
  const { choices } = notes;
  return field<Choice>({
    ...notes,
    type: choices.map((choice) => `\`${choice}\``).join(', '),
    json: { anyOf: [{ enum: choices }, { type: 'string', pattern: FILLED_IN }], default: notes.fallback },
    defaultText: notes.fallback,
    read: (scalar) => {
      const choice = choices.find((candidate) => candidate === scalar.text);
      if (choice !== undefined) return ok(choice);
      const near = nearestName(scalar.text, choices);
      return failed(`one of ${choices.join(', ')}${near === null ? '' : ` (did you mean ${near}?)`}`);
    },
  });
}

/** Text with a rule of its own; `check` gives the value or continues "expected ...". */
export function textField<Value>(
  notes: Notes & {
    readonly type: string;
    readonly fallback: Value;
    readonly defaultText: string;
    /** How a wrong value is shown, where the value itself must not be. */
    readonly mask?: (text: string) => string;
    readonly valueRequired?: boolean;
    readonly check: (text: string, scalar: Scalar) => Result<Value, string>;
  },
) {
  return field<Value>({
    ...notes,
    json: { type: ['string', 'integer'] },
    read: (scalar) => notes.check(scalar.text, scalar),
  });
}
