/**
 * The message that most messages are, and its answer: an append as JSON and back.
 *
 * Written as text, field by field, because building an object of twenty fields for each follower
 * costs more than all else that a commit does with its message. What entries look like is
 * `entry-codec.ts`'s; other messages are `message-codec.ts`'s.
 */
import type { Answer, Contact, Entry, MemberName, Request } from '../consensus/index.ts';
import { entriesFromJson, entriesToJson, firstChanges } from './entry-codec.ts';
import type { Fields } from './field-checks.ts';
import { senderJson, senderOf } from './sender-codec.ts';

type Append = Extract<Request, { readonly type: 'append' }>;
type AppendAnswer = Extract<Answer, { readonly type: 'append_answer' }>;

/** Entries as a call holds them: the changes of the first, and the list. */
interface EntriesJson {
  readonly entries: readonly Entry[];
  readonly changes: string;
  readonly list: string;
}

const GRANTED = '{"Accepted":true,"Err":{"Code":"","Err":""},';
const REFUSED = '{"Accepted":false,"Err":{"Code":"ERR_DENIED","Err":"ERR_DENIED: Not granted"},';
const NO_ENTRIES: EntriesJson = { entries: [], changes: '[]', list: '[]' };

/** Each follower is sent the same entries, one follower after the other. */
let lastEntries = NO_ENTRIES;

/** The body of an append. */
export function writeAppend(from: MemberName, to: MemberName, message: Append): string {
  const { call, ballot, sender, prevIndex, prevBallot, commitIndex, firstIndex } = message;
  const { round, contact, readmitAt } = message;
  const { changes, list } = entriesJson(message.entries);
  // Its first entry is number 0 of an instance; what comes from older ballots has no number there.
  const sequence = Math.max(0, prevIndex + 1 - firstIndex);
  return (
    `{"Instance":${ballot},"Sequence":${sequence},"Changes":${changes},${senderJson('append', sender)},` +
    `"From":{"Addr":${JSON.stringify(from)}},"To":{"Addr":${JSON.stringify(to)}},` +
    `"Nonce":${call},"Ballot":${ballot},"PrevIndex":${prevIndex},"PrevBallot":${prevBallot},` +
    `"CommitIndex":${commitIndex},"FirstIndex":${firstIndex},"Round":${round},` +
    `"AgeMs":${finite(contact.ageMs)},"EchoMs":${finite(contact.echoMs)},"ReadmitAt":${readmitAt},` +
    `"Entries":${list}}`
  );
}

/** Reads the body of an append; throws what does not fit. */
export function readAppend(fields: Fields): Append {
  const ballot = fields.ballot('Ballot');
  const prevIndex = fields.whole('PrevIndex');
  const prevBallot = fields.ballot('PrevBallot');
  return {
    type: 'append',
    call: fields.whole('Nonce'),
    ballot,
    sender: senderOf(fields),
    prevIndex,
    prevBallot,
    entries: entriesFromJson(fields, { prevIndex, prevBallot, ballot }),
    commitIndex: fields.whole('CommitIndex'),
    firstIndex: fields.whole('FirstIndex'),
    round: fields.whole('Round'),
    contact: contactOf(fields),
    readmitAt: fields.wholeOrNull('ReadmitAt'),
  };
}

/** The body of the answer to an append. */
export function writeAppendAnswer(message: AppendAnswer): string {
  const { call, ballot, sender, granted, matchIndex, matchBallot, round, clockMs } = message;
  return (
    `${granted ? GRANTED : REFUSED}${senderJson('append_answer', sender)},` +
    `"Nonce":${call},"Promised":${ballot},` +
    `"Granted":${granted},"MatchIndex":${matchIndex},"MatchBallot":${matchBallot},` +
    `"Round":${round},"ClockMs":${finite(clockMs)}}`
  );
}

/** Reads it; throws what does not fit. */
export function readAppendAnswer(fields: Fields): AppendAnswer {
  return {
    type: 'append_answer',
    call: fields.whole('Nonce'),
    ballot: fields.ballot('Promised'),
    sender: senderOf(fields),
    granted: fields.bool('Granted'),
    matchIndex: fields.whole('MatchIndex'),
    matchBallot: fields.ballot('MatchBallot'),
    round: fields.whole('Round'),
    clockMs: fields.number('ClockMs'),
  };
}

/** What a master says about its contact with the majority. */
export function contactOf(fields: Fields): Contact {
  return { ageMs: fields.number('AgeMs'), echoMs: fields.has('EchoMs') ? fields.number('EchoMs') : null };
}

/** JSON has no word for endless. */
export function finite(milliseconds: number | null): number | null {
  return milliseconds !== null && Number.isFinite(milliseconds) ? milliseconds : null;
}

function entriesJson(entries: readonly Entry[]): EntriesJson {
  if (entries.length === 0) return NO_ENTRIES;
  if (!isSame(entries, lastEntries.entries)) {
    const changes = JSON.stringify(firstChanges(entries));
    lastEntries = { entries, changes, list: JSON.stringify(entriesToJson(entries)) };
  }
  return lastEntries;
}

function isSame(left: readonly Entry[], right: readonly Entry[]): boolean {
  return left.length === right.length && left.every((entry, at) => entry === right[at]);
}
