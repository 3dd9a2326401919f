/**
 * `/stats`: six counters in kuiperbelt's two formats (section 8).
 *
 * Monitoring plugins read these bytes, so names and order never change; further figures belong to
 * `/metrics`. Counting is the gateway's business.
 */
import type { OutgoingAnswer } from './outgoing-answer.ts';

/** The counters, of a whole node. */
export interface StatsFigures {
  readonly connections: number;
  readonly totalConnections: number;
  readonly totalMessages: number;
  readonly connectErrors: number;
  readonly messageErrors: number;
  readonly closingConnections: number;
}

/** JSON, or lines of name, value and time for Sensu-like agents. */
export type StatsFormat = 'json' | 'text';

const TEXT_FORMATS = new Set(['tsv', 'txt', 'text']);
const FORM_METHODS = new Set(['POST', 'PUT', 'PATCH']);
const FORM_TYPE = 'application/x-www-form-urlencoded';

const JSON_MEMBERS = [
  ['connections', 'connections'],
  ['total_connections', 'totalConnections'],
  ['total_messages', 'totalMessages'],
  ['connect_errors', 'connectErrors'],
  ['message_errors', 'messageErrors'],
  ['closing_connections', 'closingConnections'],
] as const;

const TEXT_LINES = [
  ['kuiperbelt.conn.current', 'connections'],
  ['kuiperbelt.conn.total', 'totalConnections'],
  ['kuiperbelt.conn.errors', 'connectErrors'],
  ['kuiperbelt.conn.closing', 'closingConnections'],
  ['kuiperbelt.messages.total', 'totalMessages'],
  ['kuiperbelt.messages.errors', 'messageErrors'],
] as const;

/** True when the format may stand in the body, so that the body has to be read. */
export function isStatsForm(method: string, contentType: string | undefined): boolean {
  const mediaType = contentType?.split(';')[0]?.trim().toLowerCase();
  return FORM_METHODS.has(method) && mediaType === FORM_TYPE;
}

/** The format that a request asks for; `form` is its body where `isStatsForm`, and wins over the query. */
export function statsFormat(request: { readonly query: string; readonly form?: string }): StatsFormat {
  const format = formValue(request.form ?? '', 'format') ?? formValue(request.query, 'format');
  return format !== undefined && TEXT_FORMATS.has(format) ? 'text' : 'json';
}

/** The answer; `unixSeconds` is the time that the text format shows. */
export function statsAnswer(format: StatsFormat, figures: StatsFigures, unixSeconds: number): OutgoingAnswer {
  if (format === 'json') {
    const members = JSON_MEMBERS.map(([name, figure]) => `"${name}":${figures[figure]}`);
    return { status: 200, headers: ['Content-Type', 'application/json'], body: `{${members.join(',')}}\n` };
  }
  const lines = TEXT_LINES.map(
    ([name, figure]) => `${name}\t${figures[figure]}\t${Math.floor(unixSeconds)}\n`,
  );
  return { status: 200, headers: ['Content-Type', 'text/plain'], body: lines.join('') };
}

/** The first value of `name` in a form-encoded text. */
function formValue(text: string, name: string): string | undefined {
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    const rawName = equals === -1 ? pair : pair.slice(0, equals);
    const rawValue = equals === -1 ? '' : pair.slice(equals + 1);
    if (decodeFormText(rawName) === name) return decodeFormText(rawValue);
  }
  return undefined;
}

function decodeFormText(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
