/**
 * Looking up header lines in the flat lists of node:http, without building anything first.
 */
import type { RawHeaders } from '../types.ts';

/** Finds the first line of a name, whatever its case. */
export function findHeader(headers: RawHeaders, name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (isNamed(headers[index] as string, wanted)) return headers[index + 1];
  }
  return undefined;
}

/** Finds every line of a name, in the order of the wire. */
export function findHeaderLines(headers: RawHeaders, name: string): string[] {
  const wanted = name.toLowerCase();
  const lines: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (isNamed(headers[index] as string, wanted)) lines.push(headers[index + 1] as string);
  }
  return lines;
}

/** Lengths are compared first because they nearly always settle it. */
function isNamed(candidate: string, wanted: string): boolean {
  return candidate.length === wanted.length && candidate.toLowerCase() === wanted;
}
