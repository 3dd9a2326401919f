/**
 * The two vocabularies in which the original's six calls are spoken, and how each writes an answer.
 *
 * Its code speaks one set of names, its documentation another; a caller gets the names that it used
 * itself. Names differ, meanings do not. Callers of the safe protocol speak the first vocabulary,
 * with fields that the original ignores.
 */
import { goJsonString } from '../relay/index.ts';
import type { ForeignAnswer, ForeignErrorCode } from './peer-types.ts';

/** The six calls; also the last part of their paths. */
export const METHODS = ['prepare', 'accept', 'addmember', 'rmmember', 'start', 'submit'] as const;

/** One of the six calls. */
export type Method = (typeof METHODS)[number];

/** `original`: the names of the original's code. `documented`: those of its documentation. */
export type Dialect = 'original' | 'documented';

/** What a field of a call means, under whichever name it came. */
export type Field =
  | 'instance'
  | 'sequence'
  | 'changes'
  | 'master'
  | 'member'
  | 'cluster'
  | 'self'
  | 'participants'
  | 'snapshot'
  | 'requestId'
  | 'proto';

/** Names in lower case -> meaning. Letter case does not matter to the original. */
const FIELDS: ReadonlyMap<string, Field> = new Map([
  ['instance', 'instance'],
  ['sequence', 'sequence'],
  ['seq', 'sequence'],
  ['changes', 'changes'],
  ['chg', 'changes'],
  ['master', 'master'],
  ['mem', 'member'],
  ['cluster', 'cluster'],
  ['self', 'self'],
  ['participants', 'participants'],
  ['snapshot', 'snapshot'],
  ['snap', 'snapshot'],
  ['reqid', 'requestId'],
  ['proto', 'proto'],
]);

/** The fields that each call of the original has; others are none of its. */
const FIELDS_OF: Readonly<Record<Method, ReadonlySet<Field>>> = {
  prepare: new Set<Field>(['instance', 'master']),
  accept: new Set<Field>(['instance', 'sequence', 'changes']),
  addmember: new Set<Field>(['instance', 'sequence', 'member']),
  rmmember: new Set<Field>(['instance', 'sequence', 'member']),
  start: new Set<Field>([
    ...(['instance', 'sequence', 'cluster', 'self'] as const),
    ...(['master', 'participants', 'snapshot'] as const),
  ]),
  submit: new Set<Field>(['changes']),
};

/** Codes in the order of the original's list. */
const CODES: ReadonlySet<string> = new Set<ForeignErrorCode>([
  ...(['ERR_CALL', 'ERR_IO', 'ERR_ENCODING', 'ERR_STATE', 'ERR_MAJORITY'] as const),
  ...(['ERR_DENIED', 'ERR_SEQUENCE', 'ERR_GAP', 'ERR_CONNECT'] as const),
]);

/** What the folded key `folded` means in a call of `method`; null: nothing, its value is skipped. */
export function fieldOf(method: Method, folded: string): Field | null {
  const field = FIELDS.get(folded) ?? null;
  if (field === null || field === 'proto' || (field === 'requestId' && method === 'submit')) return field;
  return FIELDS_OF[method].has(field) ? field : null;
}

/** Which vocabulary a key belongs to. The original's names begin with a capital, documented ones do not. */
export function dialectOf(key: string): Dialect {
  return /^[a-z]/.test(key) ? 'documented' : 'original';
}

/** Whether `code` is one of the original's. */
export function isForeignCode(code: string): code is ForeignErrorCode {
  return CODES.has(code);
}

/** Error objects in the answers of a dialect; `error` null: none. */
export function errorJson(dialect: Dialect, error: ForeignAnswer['error']): string {
  const code = goJsonString(error?.code ?? '');
  const text = goJsonString(error === null ? '' : `${error.code}: ${error.text}`);
  return dialect === 'original' ? `{"Code":${code},"Err":${text}}` : `{"code":${code},"err":${text}}`;
}

/** The body of an answer to a call of `method`. */
export function answerJson(method: Method, dialect: Dialect, answer: ForeignAnswer): string {
  const error = errorJson(dialect, answer.error);
  const { accepted } = answer;
  if (method === 'prepare') {
    const instance = typeof accepted === 'bigint' ? accepted : 0n;
    return dialect === 'original'
      ? `{"Accepted":${instance},"Err":${error}}`
      : `{"acceptedInstance":${instance},"err":${error}}`;
  }
  const done = accepted === true;
  if (dialect === 'original') return `{"Accepted":${done},"Err":${error}}`;
  // The documentation has one name for accept and the opposite of it for the rest.
  return method === 'accept' ? `{"accepted":${done},"err":${error}}` : `{"fail":${!done},"err":${error}}`;
}
