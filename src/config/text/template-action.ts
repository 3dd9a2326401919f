/**
 * Reads one `{{ ... }}` of a template into words and texts.
 *
 * It knows Go's delimiters, trim markers, comments and string literals, and nothing of what the
 * words mean: `template.ts` runs them. It never throws; a broken action comes back with a problem.
 */
import { failed, ok, type Result } from '../../base/index.ts';

/** A string literal, or anything else that stood between spaces. */
export interface Token {
  readonly type: 'text' | 'word';
  readonly text: string;
}

/** What stood between two delimiters. */
export interface Action {
  readonly tokens: readonly Token[];
  readonly comment: boolean;
  /** `{{-` and `-}}`: white space on that side of the action is dropped. */
  readonly trimBefore: boolean;
  readonly trimAfter: boolean;
  /** Offset behind the closing delimiter. */
  readonly end: number;
  readonly problem: string | null;
}

/** The simple escapes of a Go string; the numeric ones are read by `numericEscape`. */
const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
  ['\\', 92],
  ['"', 34],
]);

const SPACES = /[ \t\r\n]*/y;
const WORD = /[^ \t\r\n"`}]+|\}(?!\})/y;

/** Reads the action whose `{{` stands at `open`. */
export function readAction(source: string, open: number): Action {
  const trimBefore = /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
  const start = skipSpaces(source, open + (trimBefore ? 3 : 2));
  const body = source.startsWith('/*', start) ? readComment(source, start) : readTokens(source, start);
  return { ...body, trimBefore };
}

type Body = Omit<Action, 'trimBefore'>;

function readComment(source: string, start: number): Body {
  const close = source.indexOf('*/', start + 2);
  if (close < 0) return broken({ end: source.length, problem: 'a template comment is not closed by */' });
  const closing = closingDelimiter(source, close + 2);
  if (closing === null) {
    const next = source.indexOf('}}', close);
    const end = next < 0 ? source.length : next + 2;
    return broken({ end, problem: 'a template comment must end with */}}' });
  }
  return { tokens: [], comment: true, problem: null, ...closing };
}

function readTokens(source: string, start: number): Body {
  const tokens: Token[] = [];
  let problem: string | null = null;
  let offset = start;
  while (offset < source.length) {
    const closing = closingDelimiter(source, offset);
    if (closing !== null) return { tokens, comment: false, problem, ...closing };
    offset = skipSpaces(source, offset);
    const quote = source[offset];
    if (quote === '"' || quote === '`') {
      const text = quote === '"' ? readQuoted(source, offset) : readRaw(source, offset);
      problem ??= text.problem;
      tokens.push({ type: 'text', text: text.value });
      offset = text.end;
      continue;
    }
    WORD.lastIndex = offset;
    const word = WORD.exec(source)?.[0];
    if (word === undefined) continue;
    tokens.push({ type: 'word', text: word });
    offset += word.length;
  }
  return broken({ end: source.length, problem: problem ?? 'a template action is not closed by }}' });
}

function broken(at: { end: number; problem: string }): Body {
  return { tokens: [], comment: false, trimAfter: false, ...at };
}

/** `}}`, or white space and `-}}`; null when the action goes on. */
function closingDelimiter(source: string, offset: number): { end: number; trimAfter: boolean } | null {
  const at = skipSpaces(source, offset);
  if (source.startsWith('}}', at)) return { end: at + 2, trimAfter: false };
  // Without white space before it, the minus would belong to the word or text before.
  if (at > offset && source.startsWith('-}}', at)) return { end: at + 3, trimAfter: true };
  return null;
}

function skipSpaces(source: string, offset: number): number {
  SPACES.lastIndex = offset;
  SPACES.exec(source);
  return SPACES.lastIndex;
}

interface Literal {
  readonly value: string;
  readonly end: number;
  readonly problem: string | null;
}

function readRaw(source: string, open: number): Literal {
  const close = source.indexOf('`', open + 1);
  if (close < 0) return { value: '', end: source.length, problem: 'a text is not closed by `' };
  return { value: source.slice(open + 1, close).replaceAll('\r', ''), end: close + 1, problem: null };
}

function readQuoted(source: string, open: number): Literal {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  let problem: string | null = null;
  let offset = open + 1;
  while (offset < source.length && source[offset] !== '"' && source[offset] !== '\n') {
    if (source[offset] === '\\') {
      const escaped = readEscape(source, offset + 1);
      if (escaped.ok) bytes.push(...escaped.value.bytes);
      else problem ??= escaped.error;
      offset = escaped.ok ? escaped.value.end : offset + 2;
      continue;
    }
    const character = String.fromCodePoint(source.codePointAt(offset) as number);
    bytes.push(...encoder.encode(character));
    offset += character.length;
  }
  if (source[offset] !== '"') {
    problem ??= 'a text is not closed by " on its line';
    return { value: '', end: Math.min(offset, source.length), problem };
  }
  return { value: new TextDecoder().decode(Uint8Array.from(bytes)), end: offset + 1, problem };
}

interface Escape {
  readonly bytes: Iterable<number>;
  readonly end: number;
}

function readEscape(source: string, at: number): Result<Escape, string> {
  const letter = source[at] ?? '';
  const simple = ESCAPES.get(letter);
  if (simple !== undefined) return ok({ bytes: [simple], end: at + 1 });
  const numeric = /^(?:x([0-9A-Fa-f]{2})|([0-3][0-7]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/;
  const match = numeric.exec(source.slice(at, at + 9));
  if (match === null) return failed(`\\${letter.trim()} is not an escape that Go knows`);
  const end = at + match[0].length;
  if (match[1] !== undefined) return ok({ bytes: [Number.parseInt(match[1], 16)], end });
  if (match[2] !== undefined) return ok({ bytes: [Number.parseInt(match[2], 8)], end });
  const code = Number.parseInt((match[3] ?? match[4]) as string, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    return failed(`\\${match[0]} is not a character`);
  return ok({ bytes: new TextEncoder().encode(String.fromCodePoint(code)), end });
}
