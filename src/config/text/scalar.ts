/**
 * One value of the file before anybody knows what it is meant to be.
 *
 * YAML guesses types from looks (`yes`, `10:30`, `017`). Here a value stays text, and the key that
 * it belongs to decides how it is read: so `listen: 10:30` stays text, and a quoted `"true"` is
 * never a boolean. The readers accept what YAML 1.1 accepts, because kuiperbelt's files are 1.1.
 */

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL']);
const TRUES = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']);
const FALSES = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']);

const INTEGER = /^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|[1-9][0-9_]*|0)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** Text of the file with what its notation says about it. */
export class Scalar {
  readonly text: string;
  /** Unquoted, so that it may be a number, a boolean or null. */
  readonly plain: boolean;
  /** It was found wrong already (a variable is not set); nothing more is said about it. */
  readonly broken: boolean;
  /** What the reader of this value wants the operator to know although it is valid. */
  readonly remarks: string[] = [];

  constructor(text: string, notation: { readonly plain: boolean; readonly broken?: boolean }) {
    this.text = text;
    this.plain = notation.plain;
    this.broken = notation.broken ?? false;
  }

  /** Whether the key was written without a value, in any of the ways YAML has for it. */
  get empty(): boolean {
    return this.text === '' || (this.plain && NULLS.has(this.text));
  }
}

/** A YAML 1.1 boolean, or null when the value is something else. */
export function readBoolean(scalar: Scalar): boolean | null {
  if (!scalar.plain) return null;
  if (TRUES.has(scalar.text)) return true;
  return FALSES.has(scalar.text) ? false : null;
}

/** A number in any notation of YAML 1.1 (base 60 excepted), or null. */
export function readNumber(scalar: Scalar): number | null {
  if (!scalar.plain) return null;
  const text = scalar.text.replaceAll('_', '');
  if (INTEGER.test(scalar.text)) return readInteger(text);
  return FLOAT.test(scalar.text) ? finite(Number(text)) : null;
}

function readInteger(text: string): number | null {
  const negative = text.startsWith('-');
  const digits = text.replace(/^[-+]/, '');
  // A leading zero means octal in YAML 1.1, which `Number` would read as decimal.
  const prefixed = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const value = finite(Number(prefixed));
  return value === null || value === 0 ? value : negative ? -value : value;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
