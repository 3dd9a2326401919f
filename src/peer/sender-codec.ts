/**
 * What every safe call and answer says about its sender, as JSON and back.
 *
 * Senders rarely change and are said with every message, so that what was written or read last is
 * kept and used again. Which fields stand around it is the business of the codecs that ask.
 */
import type { Sender } from '../consensus/index.ts';
import type { Fields } from './field-checks.ts';
import { SPOKEN } from './protocol-versions.ts';

const PROTO = `"Proto":{"Min":${SPOKEN.min},"Max":${SPOKEN.max}}`;

let lastWritten: { readonly sender: Sender; readonly json: string } | null = null;
let lastRead: Sender | null = null;

/** The fields of a message of kind `type` about its sender, without braces around them. */
export function senderJson(type: string, sender: Sender): string {
  if (lastWritten?.sender !== sender) lastWritten = { sender, json: write(sender) };
  return `${PROTO},"Type":"${type}",${lastWritten.json}`;
}

/** The same as an object. */
export function senderHead(type: string, sender: Sender): object {
  const { incarnation, storage, run, knows, muted } = sender;
  return {
    Proto: { Min: SPOKEN.min, Max: SPOKEN.max },
    Type: type,
    Incarnation: incarnation,
    Storage: storage,
    Run: run,
    Knows: knows,
    Muted: muted,
  };
}

/** Reads what either of them wrote. */
export function senderOf(fields: Fields): Sender {
  const incarnation = fields.idOrNull('Incarnation');
  const storage = fields.id('Storage');
  const run = fields.number('Run');
  const knows = fields.knows('Knows', lastRead?.knows);
  const muted = fields.bool('Muted');
  const last = lastRead;
  if (last !== null && isSame(last, { incarnation, storage, run, knows, muted })) return last;
  lastRead = { incarnation, storage, run, knows, muted };
  return lastRead;
}

function write({ incarnation, storage, run, knows, muted }: Sender): string {
  const json = JSON.stringify({
    Incarnation: incarnation,
    Storage: storage,
    Run: run,
    Knows: knows,
    Muted: muted,
  });
  return json.slice(1, -1);
}

function isSame(left: Sender, right: Sender): boolean {
  return (
    left.storage === right.storage &&
    left.run === right.run &&
    left.incarnation === right.incarnation &&
    left.muted === right.muted &&
    left.knows === right.knows
  );
}
