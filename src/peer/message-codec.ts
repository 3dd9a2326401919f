/**
 * The messages between replicas as bodies of the original's calls, and back.
 *
 * The fields that the original knows come first and mean what they mean to it; everything that
 * safety rests on stands in fields that it skips. `docs/reference/cluster-wire.md` has the tables.
 * What arrives is believed only when every field fits.
 */
import { failed, ok, type Result } from '../base/index.ts';
import type { Answer, MemberName, Message, Request, Sender } from '../consensus/index.ts';
import {
  contactOf,
  finite,
  readAppend,
  readAppendAnswer,
  writeAppend,
  writeAppendAnswer,
} from './append-codec.ts';
import type { Method } from './dialects.ts';
import { Fields, Misfit, misfit } from './field-checks.ts';
import { base64Of } from './foreign-codec.ts';
import { isSpokenBy, SPOKEN } from './protocol-versions.ts';
import { senderHead, senderOf } from './sender-codec.ts';

type Append = Extract<Request, { readonly type: 'append' }>;
type OtherAnswer = Exclude<Answer, { readonly type: 'append_answer' }>;

/** Who asks whom. */
export interface CallPlace {
  readonly cluster: string;
  readonly from: MemberName;
  readonly to: MemberName;
}

/** A message on its way: the call that carries it, and its body. */
export interface WrittenRequest {
  readonly method: Method;
  readonly body: string;
}

/** A message as it came. */
export interface ReadRequest {
  readonly from: MemberName;
  readonly to: MemberName;
  readonly message: Request;
}

/** The call that carries each kind of question. */
export const METHOD_OF: Readonly<Record<Request['type'], Method>> = {
  pre_vote: 'prepare',
  vote: 'prepare',
  transfer: 'prepare',
  append: 'accept',
  snapshot: 'start',
  read: 'submit',
};

const NO_ERROR = { Code: '', Err: '' };
const NOT_GRANTED = { Code: 'ERR_DENIED', Err: 'ERR_DENIED: Not granted' };

/** Whether a message is the answer to another. */
export function isAnswer(message: Message): message is Answer {
  return message.type.endsWith('_answer');
}

/** Writes a question. */
export function writeRequest(place: CallPlace, message: Request): WrittenRequest {
  const { from, to } = place;
  if (message.type === 'append') return { method: METHOD_OF.append, body: writeAppend(from, to, message) };
  const head = { ...senderHead(message.type, message.sender), From: { Addr: from }, To: { Addr: to } };
  const all = { ...head, Nonce: message.call, Ballot: message.ballot, ...requestFields(message) };
  return { method: METHOD_OF[message.type], body: JSON.stringify({ ...baseFields(place, message), ...all }) };
}

/** What the original finds in a question, in its order. */
function baseFields({ cluster, from, to }: CallPlace, message: Exclude<Request, Append>): object {
  const { ballot } = message;
  switch (message.type) {
    case 'pre_vote':
    case 'vote':
    case 'transfer':
      return { Instance: ballot, Master: { Addr: from } };
    case 'snapshot': {
      const members = { Cluster: cluster, Self: { Addr: to }, Master: { Addr: from }, Participants: [] };
      return { Instance: ballot, Sequence: 0, ...members, Snapshot: base64Of(message.piece) };
    }
    case 'read':
      return { Changes: [] };
  }
}

function requestFields(message: Exclude<Request, Append>): object {
  switch (message.type) {
    case 'pre_vote':
      return { LastIndex: message.lastIndex, LastBallot: message.lastBallot };
    case 'vote': {
      const { lastIndex, lastBallot, transfer } = message;
      return { LastIndex: lastIndex, LastBallot: lastBallot, Transfer: transfer };
    }
    case 'snapshot': {
      const { index, lastBallot, totalBytes, checksum, offset, round, contact } = message;
      return {
        ...{ Index: index, LastBallot: lastBallot, TotalBytes: totalBytes, Digest: checksum, Offset: offset },
        ...{ Round: round, AgeMs: finite(contact.ageMs), EchoMs: contact.echoMs },
      };
    }
    case 'transfer':
    case 'read':
      return {};
  }
}

/** Writes an answer. */
export function writeAnswer(message: Answer): string {
  if (message.type === 'append_answer') return writeAppendAnswer(message);
  const { call, ballot } = message;
  const base = { Accepted: acceptedOf(message), Err: isGranted(message) ? NO_ERROR : NOT_GRANTED };
  const head = { ...senderHead(message.type, message.sender), Nonce: call, Promised: ballot };
  return JSON.stringify({ ...base, ...head, ...answerFields(message) });
}

/** A prepare is answered with an instance, everything else with yes or no. */
function acceptedOf(message: OtherAnswer): number | boolean {
  switch (message.type) {
    case 'pre_vote_answer':
    case 'vote_answer':
    case 'transfer_answer':
      return message.ballot;
    default:
      return isGranted(message);
  }
}

function isGranted(message: OtherAnswer): boolean {
  if (message.type === 'read_answer') return message.index !== null;
  return 'granted' in message ? message.granted : true;
}

function answerFields(message: OtherAnswer): object {
  switch (message.type) {
    case 'pre_vote_answer':
    case 'vote_answer':
      return { Granted: message.granted };
    case 'snapshot_answer': {
      const { index, offset, installed, round, clockMs } = message;
      return { Index: index, Offset: offset, Installed: installed, Round: round, ClockMs: clockMs };
    }
    case 'transfer_answer':
      return {};
    case 'read_answer':
      return { Index: message.index, Master: message.master === null ? null : { Addr: message.master } };
  }
}

/** A body of JSON, not yet believed. Null: it is no JSON, or no object, or has no `Proto`. */
export function parseSafe(body: Uint8Array): Fields | null {
  try {
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
    const fields = new Fields(JSON.parse(text), 'the body');
    return fields.has('Proto') ? fields : null;
  } catch {
    return null;
  }
}

/** Runs `read` and gives what does not fit as a failure. */
export function fitting<Value>(read: () => Value): Result<Value, string> {
  try {
    return ok(read());
  } catch (error) {
    if (error instanceof Misfit) return failed(error.message);
    throw error;
  }
}

/** Reads a question that came by the call `method`. The failure says which field does not fit. */
export function readRequest(method: Method, fields: Fields): Result<ReadRequest, string> {
  return fitting(() => {
    const versions = fields.object('Proto');
    if (!isSpokenBy(versions)) misfit('Proto', `a range with a version from ${SPOKEN.min} to ${SPOKEN.max}`);
    const type = fields.id('Type');
    if (METHOD_OF[type as Request['type']] !== method) misfit('Type', `a message that ${method} carries`);
    const message = questionFromJson(type as Request['type'], fields);
    return { from: fields.address('From'), to: fields.address('To'), message };
  });
}

function questionFromJson(type: Request['type'], fields: Fields): Request {
  if (type === 'append') return readAppend(fields);
  const ballot = fields.ballot('Ballot');
  const question = { call: fields.whole('Nonce'), ballot, sender: senderOf(fields) };
  switch (type) {
    case 'pre_vote':
      return { type, ...question, ...lastFields(fields) };
    case 'vote':
      return { type, ...question, ...lastFields(fields), transfer: fields.bool('Transfer') };
    case 'snapshot': {
      const piece = fields.bytes('Snapshot');
      const [totalBytes, offset] = [fields.whole('TotalBytes'), fields.whole('Offset')];
      if (offset + piece.length > totalBytes) misfit('Snapshot', 'within TotalBytes');
      return {
        ...{ type, ...question, index: fields.whole('Index'), lastBallot: fields.ballot('LastBallot') },
        ...{ totalBytes, checksum: fields.whole('Digest', 2 ** 32 - 1), offset, piece },
        round: fields.whole('Round'),
        contact: contactOf(fields),
      };
    }
    case 'transfer':
    case 'read':
      return { type, ...question };
  }
}

function lastFields(fields: Fields): { lastIndex: number; lastBallot: number } {
  return { lastIndex: fields.whole('LastIndex'), lastBallot: fields.ballot('LastBallot') };
}

/** Reads the answer to a question of kind `asked`. The failure says which field does not fit. */
export function readAnswer(asked: Request['type'], fields: Fields): Result<Answer, string> {
  return fitting(() => {
    const type = `${asked}_answer` as const;
    if (fields.id('Type') !== type) misfit('Type', type);
    if (type === 'append_answer') return readAppendAnswer(fields);
    const head = { call: fields.whole('Nonce'), ballot: fields.ballot('Promised'), sender: senderOf(fields) };
    return answerFromJson(type, head, fields);
  });
}

function answerFromJson(
  type: OtherAnswer['type'],
  head: { call: number; ballot: number; sender: Sender },
  fields: Fields,
): Answer {
  switch (type) {
    case 'pre_vote_answer':
    case 'vote_answer':
      return { type, ...head, granted: fields.bool('Granted') };
    case 'snapshot_answer':
      return {
        ...{ type, ...head, index: fields.whole('Index'), offset: fields.whole('Offset') },
        ...{ installed: fields.bool('Installed'), round: fields.whole('Round') },
        clockMs: fields.number('ClockMs'),
      };
    case 'transfer_answer':
      return { type, ...head };
    case 'read_answer': {
      const master = fields.has('Master') ? fields.address('Master') : null;
      return { type, ...head, index: fields.wholeOrNull('Index'), master };
    }
  }
}
