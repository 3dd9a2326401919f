/**
 * The original's calls and answers as JSON, on the model's side.
 *
 * Not the codec of `src/peer/`: two programs that misread the wire in the same way would get along.
 */
import type { ForeignAnswer, ForeignCall, ForeignErrorCode } from '../../src/peer/index.ts';

export const METHODS = ['prepare', 'accept', 'addmember', 'rmmember', 'start', 'submit'] as const;
export type LegacyMethod = (typeof METHODS)[number];

/** Thrown for bodies that the original cannot decode. */
export class Undecodable extends Error {
  override name = 'Undecodable';
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Marks what was a bare number, so that 64 bits survive `JSON.parse`. */
const MARK = '\u0001';

type Fields = ReadonlyMap<string, unknown>;

export function readCall(method: LegacyMethod, body: string): ForeignCall {
  const fields = readFields(body);
  const instance = integer(fields, 'instance');
  const sequence = integer(fields, 'sequence');
  switch (method) {
    case 'prepare':
      return { method, instance, master: address(fields.get('master')) };
    case 'accept':
      return { method, instance, sequence, changes: list(fields, 'changes').map(bytes) };
    case 'addmember':
    case 'rmmember':
      return { method, instance, sequence, member: address(fields.get('mem')) };
    case 'start':
      return {
        ...{ method, instance, sequence, cluster: text(fields.get('cluster')) },
        self: address(fields.get('self')),
        master: address(fields.get('master')),
        participants: list(fields, 'participants').map(address),
        snapshot: bytes(fields.get('snapshot')),
      };
    case 'submit':
      return { method, changes: list(fields, 'changes').map(bytes), requestId: null };
  }
}

export function writeCall(call: ForeignCall): string {
  const numbers = 'instance' in call ? [`"Instance":${call.instance}`] : [];
  if ('sequence' in call) numbers.push(`"Sequence":${call.sequence}`);
  const rest = JSON.stringify(fieldsOf(call)).slice(1, -1);
  return `{${[...numbers, rest].join(',')}}`;
}

function fieldsOf(call: ForeignCall): object {
  switch (call.method) {
    case 'prepare':
      return { Master: { Addr: call.master } };
    case 'accept':
    case 'submit':
      return { Changes: call.changes.map(base64) };
    case 'addmember':
    case 'rmmember':
      return { Mem: { Addr: call.member } };
    case 'start':
      return {
        Cluster: call.cluster,
        Self: { Addr: call.self },
        Master: { Addr: call.master },
        Participants: call.participants.map((each) => ({ Addr: each })),
        Snapshot: base64(call.snapshot),
      };
  }
}

export function writeAnswer({ accepted, error }: Pick<ForeignAnswer, 'accepted' | 'error'>): string {
  const code = error?.code ?? '';
  const err = JSON.stringify({ Code: code, Err: error === null ? '' : `${code}: ${error.text}` });
  return `{"Accepted":${accepted},"Err":${err.replace(/[<>&]/g, escaped)}}`;
}

export function readAnswer(method: LegacyMethod, body: string): ForeignAnswer {
  const fields = readFields(body);
  const err = fields.get('err') as Readonly<Record<string, string>> | undefined;
  const code = err?.Code ?? '';
  const error = code === '' ? null : { code: code as ForeignErrorCode, text: err?.Err ?? '' };
  const accepted = method === 'prepare' ? integer(fields, 'accepted') : fields.get('accepted') === true;
  return { status: 200, accepted, error };
}

function readFields(body: string): Fields {
  let json: unknown;
  try {
    json = JSON.parse(
      body.replace(STRING_OR_NUMBER, (token) => (token[0] === '"' ? token : `"\\u0001${token}"`)),
    );
  } catch (error) {
    throw new Undecodable((error as Error).message);
  }
  if (json !== null && (typeof json !== 'object' || Array.isArray(json))) throw new Undecodable('no object');
  return new Map(Object.entries(json ?? {}).map(([key, value]) => [key.toLowerCase(), value]));
}

function integer(fields: Fields, name: string): bigint {
  const value = fields.get(name) ?? `${MARK}0`;
  if (typeof value !== 'string' || value[0] !== MARK || !/^\d+$/.test(value.slice(1)))
    throw new Undecodable(`${name} is no integer`);
  const number = BigInt(value.slice(1));
  if (number > 2n ** 64n - 1n) throw new Undecodable(`${name} is too large`);
  return number;
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string' || value.startsWith(MARK)) throw new Undecodable('not a string');
  return value;
}

function address(value: unknown): string {
  const fields = Object.entries((value ?? {}) as object);
  return text(fields.find(([key]) => key.toLowerCase() === 'addr')?.[1]);
}

function list(fields: Fields, name: string): unknown[] {
  const value = fields.get(name) ?? [];
  if (!Array.isArray(value)) throw new Undecodable(`${name} is no list`);
  return value;
}

function bytes(value: unknown): Uint8Array {
  const encoded = text(value).replace(/[\r\n]/g, '');
  const decoded = Buffer.from(encoded, 'base64');
  if (decoded.toString('base64') !== encoded) throw new Undecodable('not base64 with padding');
  return decoded;
}

function base64(value: Uint8Array): string {
  return Buffer.from(value).toString('base64');
}

function escaped(character: string): string {
  return `\\u00${character.charCodeAt(0).toString(16)}`;
}
