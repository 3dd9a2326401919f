/**
 * The original's calls and answers as bytes: read in either dialect, written in its own.
 *
 * Reads as the original reads: unknown fields are skipped, missing ones are zero. Writes byte for
 * byte what it writes. Which call is allowed, and what it does, is not decided here.
 */
import { failed, ok, PEER_LIMITS, type Result } from '../base/index.ts';
import type { MemberName } from '../consensus/index.ts';
import { goJsonString } from '../relay/index.ts';
import { type Dialect, dialectOf, type Field, fieldOf, isForeignCode, type Method } from './dialects.ts';
import { type GoJson, readGoJson } from './go-json.ts';
import type { ForeignAnswer, ForeignCall, ForeignErrorCode } from './peer-types.ts';

const NO_BYTES = new Uint8Array(0);

/** A body as the original understands it. */
export interface ReadCall {
  readonly call: ForeignCall;
  readonly dialect: Dialect;
  /** It has the field `Proto`: the caller speaks the safe protocol, and means more than `call` says. */
  readonly isSafe: boolean;
}

interface Fields {
  instance: bigint;
  sequence: bigint;
  changes: Uint8Array[];
  master: MemberName;
  member: MemberName;
  cluster: string;
  self: MemberName;
  participants: MemberName[];
  snapshot: Uint8Array;
  requestId: string;
  proto: boolean;
}

/** Reads the body of a call. The failure says what is wrong with it, without a byte of it. */
export function readCall(method: Method, body: Uint8Array): Result<ReadCall, string> {
  const fields: Fields = {
    instance: 0n,
    sequence: 0n,
    changes: [],
    master: '',
    member: '',
    cluster: '',
    self: '',
    participants: [],
    snapshot: NO_BYTES,
    requestId: '',
    proto: false,
  };
  let dialect: Dialect = 'original';
  const read = readGoJson(body, (json) =>
    json.object((folded, key) => {
      const field = fieldOf(method, folded);
      if (field === null) return false;
      if (field !== 'proto' && field !== 'requestId' && dialectOf(key) === 'documented')
        dialect = 'documented';
      readField(json, field, fields);
      return true;
    }),
  );
  if (!read.ok) return read;
  const tooLong = longName(fields);
  if (tooLong !== null) return failed(`${tooLong} is too long`);
  return ok({ call: callOf(method, fields), dialect, isSafe: fields.proto });
}

function readField(json: GoJson, field: Field, fields: Fields): void {
  switch (field) {
    case 'instance':
    case 'sequence':
      fields[field] = json.uint64(fields[field]);
      break;
    case 'changes':
      fields.changes = [];
      json.list(PEER_LIMITS.changesMax, () => fields.changes.push(json.bytes()));
      break;
    case 'master':
    case 'member':
    case 'self':
      fields[field] = readAddress(json, fields[field]);
      break;
    case 'participants':
      fields.participants = [];
      json.list(PEER_LIMITS.membersMax, () => fields.participants.push(readAddress(json, '')));
      break;
    case 'cluster':
    case 'requestId':
      fields[field] = json.string(fields[field]);
      break;
    case 'snapshot':
      fields.snapshot = json.bytes();
      break;
    case 'proto':
      json.skip();
      fields.proto = true;
  }
}

/** An address is an object with one text. */
function readAddress(json: GoJson, previous: MemberName): MemberName {
  let address = previous;
  json.object((folded) => {
    if (folded !== 'addr') return false;
    address = json.string(address);
    return true;
  });
  return address;
}

function longName(fields: Fields): string | null {
  const names = [fields.master, fields.member, fields.self, fields.cluster, ...fields.participants];
  if (names.some((name) => name.length > PEER_LIMITS.nameCharactersMax)) return 'a name';
  return fields.requestId.length > PEER_LIMITS.idCharactersMax ? 'ReqId' : null;
}

function callOf(method: Method, fields: Fields): ForeignCall {
  const { instance, sequence, changes, master, member, cluster, self, participants, snapshot } = fields;
  switch (method) {
    case 'prepare':
      return { method, instance, master };
    case 'accept':
      return { method, instance, sequence, changes };
    case 'addmember':
    case 'rmmember':
      return { method, instance, sequence, member };
    case 'start':
      return { method, instance, sequence, cluster, self, master, participants, snapshot };
    case 'submit':
      return { method, changes, requestId: fields.requestId === '' ? null : fields.requestId };
  }
}

/** The body of a call, byte for byte as the original writes it. */
export function writeCall(call: ForeignCall): string {
  switch (call.method) {
    case 'prepare':
      return `{"Instance":${call.instance},"Master":${addressJson(call.master)}}`;
    case 'accept': {
      const place = `"Instance":${call.instance},"Sequence":${call.sequence}`;
      return `{${place},"Changes":${bytesListJson(call.changes)}}`;
    }
    case 'addmember':
    case 'rmmember': {
      const place = `"Instance":${call.instance},"Sequence":${call.sequence}`;
      return `{${place},"Mem":${addressJson(call.member)}}`;
    }
    case 'start': {
      const place = `"Instance":${call.instance},"Sequence":${call.sequence}`;
      const cluster = `"Cluster":${goJsonString(call.cluster)},"Self":${addressJson(call.self)}`;
      const participants = `"Participants":[${call.participants.map(addressJson).join(',')}]`;
      const members = `"Master":${addressJson(call.master)},${participants}`;
      return `{${place},${cluster},${members},"Snapshot":${bytesJson(call.snapshot)}}`;
    }
    case 'submit':
      return call.requestId === null
        ? `{"Changes":${bytesListJson(call.changes)}}`
        : `{"Changes":${bytesListJson(call.changes)},"ReqId":${goJsonString(call.requestId)}}`;
  }
}

function addressJson(name: MemberName): string {
  return `{"Addr":${goJsonString(name)}}`;
}

/** None of the characters of base64 is ever escaped. */
function bytesJson(bytes: Uint8Array): string {
  return `"${base64Of(bytes)}"`;
}

/** Standard base64 with padding. */
export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Never `null`. */
function bytesListJson(list: readonly Uint8Array[]): string {
  return `[${list.map(bytesJson).join(',')}]`;
}

/** What a body that answers a call of `method` says; names of both dialects are understood. */
export function readAnswer(
  method: Method,
  body: Uint8Array,
): Result<ForeignAnswer & { isSafe: boolean }, string> {
  let accepted: bigint | boolean = method === 'prepare' ? 0n : false;
  let code = '';
  let text = '';
  let isSafe = false;
  const readBool = (json: GoJson): boolean => json.bool(accepted === true);
  const read = readGoJson(body, (json) =>
    json.object((folded) => {
      if (folded === 'proto') {
        json.skip();
        isSafe = true;
      } else if (folded === 'accepted' || folded === 'acceptedinstance') {
        accepted = method === 'prepare' ? json.uint64(accepted as bigint) : readBool(json);
      } else if (folded === 'fail' && method !== 'prepare') {
        accepted = !json.bool(false);
      } else if (folded === 'err') {
        json.object((inner) => {
          if (inner === 'code') code = json.string(code);
          else if (inner === 'err') text = json.string(text);
          else return false;
          return true;
        });
      } else {
        return false;
      }
      return true;
    }),
  );
  if (!read.ok) return read;
  return ok({ status: 200, accepted, error: errorOf(code, text), isSafe });
}

function errorOf(code: string, text: string): ForeignAnswer['error'] {
  if (code === '' && text === '') return null;
  const known: ForeignErrorCode = isForeignCode(code) ? code : 'ERR_CALL';
  const prefix = `${code}: `;
  const words = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  return { code: known, text: words.slice(0, PEER_LIMITS.nameCharactersMax) };
}
