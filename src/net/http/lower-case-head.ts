/**
 * Heads of answers whose header names are all in lower case, sorted, and no more of them than needed.
 *
 * Some APIs promise that. node:http writes its own lines its own way, so here they are all ours:
 * the date, the length or the chunks, and `connection` where the protocol's default does not do.
 */
import type { ServerResponse } from 'node:http';
import type { RawHeaders } from '../types.ts';
import { inLowerCase, safeHeaders } from './plain-response.ts';

/** What goes into such a head beside what the role says. */
export interface HeadFacts {
  /** `none`: there is no body. `unknown`: nobody knows yet how long it will be. */
  readonly bytes: number | 'none' | 'unknown';
  /** The connection cannot be used again. */
  readonly closes: boolean;
  readonly wallMs: number;
}

/** The lines of the whole head; keeps node:http from adding any. */
export function lowerCaseHead(response: ServerResponse, headers: RawHeaders, facts: HeadFacts): string[] {
  const lines = safeHeaders(headers);
  const { httpVersion } = response.req;
  response.sendDate = false;
  response.removeHeader('connection');
  lines.push('date', new Date(facts.wallMs).toUTCString());
  const endless = facts.bytes === 'unknown' && httpVersion === '1.0';
  if (typeof facts.bytes === 'number') lines.push('content-length', String(facts.bytes));
  else if (facts.bytes === 'unknown' && !endless) lines.push('transfer-encoding', 'chunked');
  const closes = facts.closes || !response.shouldKeepAlive || endless;
  if (closes) lines.push('connection', 'close');
  else if (httpVersion === '1.0') lines.push('connection', 'keep-alive');
  return inLowerCase(lines);
}
