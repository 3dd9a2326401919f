/**
 * Shows a log fact by fact, in the order in which it was written: one object a line, for `jq`.
 *
 * What an application submitted is shown by its size, or in base64 when asked for: it may be
 * personal, and it may be long. Changes nothing; what can be read before a damage is shown.
 */
import { type ArrokothError, failed, ok, type Result } from '../../base/index.ts';
import type { Entry } from '../../consensus/index.ts';
import type { LogItem } from './item-codec.ts';
import type { LogDisk } from './log-disk.ts';
import { toError } from './log-problem.ts';
import { type LogSight, readLog } from './read-log.ts';

/** What to show, and where. */
export interface DumpLogOptions {
  readonly disk: LogDisk;
  readonly folder: string;
  /** Shows what was submitted, too. */
  readonly withChanges: boolean;
  /** Takes one line, without its end. */
  readonly line: (text: string) => void;
}

/** Shows the log; false: there is none. */
export function dumpLog({ disk, folder, withChanges, line }: DumpLogOptions): Result<boolean, ArrokothError> {
  const visit = (sight: LogSight): void => {
    for (const fact of factsOf(sight, withChanges)) line(JSON.stringify(fact));
  };
  const read = readLog({ disk, folder, visit });
  if (!read.ok) return failed(toError(read.error));
  const reading = read.value;
  if (reading?.snapshot != null) {
    const { index, ballot, configuration, requests, state } = reading.snapshot;
    const facts = { index, ballot, configuration, requests: requests.length, stateBytes: state.length };
    const shown = withChanges ? { ...facts, state: base64(state) } : facts;
    line(JSON.stringify({ type: 'snapshot in force', ...shown }));
  }
  if (reading?.cut != null) line(JSON.stringify({ type: 'incomplete', ...reading.cut }));
  return ok(reading !== null);
}

function* factsOf(sight: LogSight, withChanges: boolean): Generator<object> {
  if (sight.type === 'header') {
    yield { type: 'segment', file: sight.file, ...sight.header };
    return;
  }
  const { file, offset, sizeBytes, items } = sight;
  yield { type: 'record', file, offset, sizeBytes };
  for (const item of items) yield* itemFacts(item, withChanges);
}

function* itemFacts(item: LogItem, withChanges: boolean): Generator<object> {
  if (item.type !== 'entries') yield item;
  else for (const entry of item.entries) yield entryFact(entry, withChanges);
}

function entryFact({ index, ballot, payload }: Entry, withChanges: boolean): object {
  const head = { type: 'entry', index, ballot };
  if (payload.type === 'noop') return { ...head, holds: 'noop' };
  if (payload.type === 'members') {
    return { ...head, holds: 'members', members: payload.configuration.members };
  }
  const { kind, version, requestId, changes } = payload;
  const shown = withChanges ? changes.map(base64) : changes.map((change) => change.length);
  return { ...head, holds: 'changes', kind, version, requestId, [withChanges ? 'changes' : 'bytes']: shown };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
