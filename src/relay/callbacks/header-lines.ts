/**
 * What may stand in a header line that this node writes, and which names are its own.
 *
 * Values are byte strings (`base/utf8.ts`). Everything that leaves in a callback passes here, so
 * that no client can add a line of its own or speak in this node's name.
 */

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** The bytes that RFC 9110 5.5 allows. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** True when `name: value` is one line, whatever the peer's parser thinks of it. */
export function isHeaderLine(name: string, value: string): boolean {
  return NAME.test(name) && VALUE.test(value);
}

/** True when `value` can be written as a header value. */
export function isHeaderValue(value: string): boolean {
  return VALUE.test(value);
}

/**
 * The form in which names are compared. Underscores count as dashes because CGI-like interfaces
 * (PSGI, WSGI, Rack) read `X_Kuiperbelt_Session` and `X-Kuiperbelt-Session` as the same variable.
 */
export function comparableName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** A list that has more elements wants to be read for long; nobody else would write it. */
const ELEMENTS_MAX = 256;

/**
 * The elements of comma-separated header lines, lower-cased, without the spaces around them. Of a line
 * with more than 256 elements the first.
 */
export function listTokens(lines: readonly string[]): string[] {
  const [line] = lines;
  // What nearly every client sends, for each of its handshakes.
  if (lines.length === 1 && line !== undefined && !line.includes(',')) return [line.trim().toLowerCase()];
  return lines.flatMap((line) => line.split(',', ELEMENTS_MAX)).map((token) => token.trim().toLowerCase());
}
