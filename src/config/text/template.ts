/**
 * The part of Go's text/template that kuiperbelt's configuration files use.
 *
 * `{{ env "A" "B" "default" }}`, `{{ must_env "A" }}`, string literals, comments and trim markers;
 * anything else is refused by name. It runs over the whole file before YAML does, comments
 * included, and pastes values as they are: that is what such files rely on. Offsets in the result
 * can be traced back to the file, so that later mistakes are reported on the right line.
 */
import { failed, ok, type Result } from '../../base/index.ts';
import { type Environment, lookUp } from './environment.ts';
import { quoteShort } from './problem.ts';
import { type Action, readAction, type Token } from './template-action.ts';

/** A mistake in an action; `offset` points into the file. */
export interface TemplateProblem {
  readonly offset: number;
  readonly message: string;
}

/** The file with its actions replaced by their values. */
export interface RenderedTemplate {
  readonly text: string;
  /** Where in the file the character at `offset` of `text` came from. */
  sourceOffset(offset: number): number;
}

/** The largest result; the environment could otherwise blow up a small file. */
const RENDERED_LENGTH_MAX = 1_048_576;
const TEMPLATE_PROBLEMS_MAX = 100;

const SUPPORTED =
  'supported are {{ env "NAME" "default" }}, {{ must_env "NAME" }}, {{ "text" }} and {{/* comments */}}';

/** A run of the result: copied from the file, or made by the action at `source`. */
interface Piece {
  readonly text: string;
  readonly source: number;
  readonly copied: boolean;
}

/** Runs all actions of `source`, or tells every one that cannot be run. */
export function renderTemplate(
  source: string,
  environment: Environment,
): Result<RenderedTemplate, TemplateProblem[]> {
  const pieces: Piece[] = [];
  const problems: TemplateProblem[] = [];
  let offset = 0;
  let length = 0;
  let trimNext = false;
  const push = (piece: Piece): void => {
    if (piece.text === '') return;
    pieces.push(piece);
    length += piece.text.length;
  };
  while (problems.length < TEMPLATE_PROBLEMS_MAX && length <= RENDERED_LENGTH_MAX) {
    const open = source.indexOf('{{', offset);
    const action = open < 0 ? null : readAction(source, open);
    const end = action === null ? source.length : open;
    push(copyText(source, { from: offset, to: end, trimNext, trimBefore: action?.trimBefore ?? false }));
    if (action === null) break;
    const value = evaluate(action, environment);
    if (value.ok) push({ text: value.value, source: open, copied: false });
    else problems.push({ offset: open, message: value.error });
    offset = action.end;
    trimNext = action.trimAfter;
  }
  if (length > RENDERED_LENGTH_MAX) {
    problems.push({
      offset,
      message: `the file is longer than ${RENDERED_LENGTH_MAX} characters once expanded`,
    });
  }
  return problems.length > 0 ? failed(problems) : ok(new Rendered(pieces));
}

function copyText(
  source: string,
  span: { from: number; to: number; trimNext: boolean; trimBefore: boolean },
): Piece {
  let { from, to } = span;
  if (span.trimNext) while (from < to && isSpace(source[from])) from += 1;
  if (span.trimBefore) while (to > from && isSpace(source[to - 1])) to -= 1;
  return { text: source.slice(from, to), source: from, copied: true };
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r' || character === '\n';
}

function evaluate(action: Action, environment: Environment): Result<string, string> {
  if (action.problem !== null) return failed(`${action.problem}; ${SUPPORTED}`);
  const [head, ...rest] = action.tokens;
  if (head === undefined)
    return action.comment ? ok('') : failed(`the template action is empty; ${SUPPORTED}`);
  if (head.type === 'text') {
    return rest.length === 0 ? ok(head.text) : failed(`a text takes no arguments; ${SUPPORTED}`);
  }
  if (head.text !== 'env' && head.text !== 'must_env') {
    return failed(`the template action ${quoteShort(head.text)} is not supported; ${SUPPORTED}`);
  }
  const odd = rest.find((token) => token.type !== 'text');
  if (odd !== undefined) {
    return failed(`${head.text} takes quoted names, got ${quoteShort(odd.text)}; ${SUPPORTED}`);
  }
  return head.text === 'env' ? ok(firstSet(rest, environment)) : required(rest, environment);
}

/** The value of the first variable that is not empty, else the last argument as it stands. */
function firstSet(names: readonly Token[], environment: Environment): string {
  for (const { text } of names) {
    const value = lookUp(environment, text);
    if (value !== undefined && value !== '') return value;
  }
  return names.at(-1)?.text ?? '';
}

function required(names: readonly Token[], environment: Environment): Result<string, string> {
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) return failed('must_env takes exactly one quoted name');
  const value = lookUp(environment, name.text);
  if (value !== undefined) return ok(value);
  return failed(`the environment variable ${quoteShort(name.text)} is not set; must_env demands it`);
}

class Rendered implements RenderedTemplate {
  readonly text: string;
  readonly #pieces: readonly Piece[];
  readonly #starts: number[] = [];

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
    this.text = pieces.map((piece) => piece.text).join('');
    let start = 0;
    for (const piece of pieces) {
      this.#starts.push(start);
      start += piece.text.length;
    }
  }

  sourceOffset(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    const piece = this.#pieces[low];
    if (piece === undefined) return 0;
    return piece.copied ? piece.source + offset - (this.#starts[low] as number) : piece.source;
  }
}
