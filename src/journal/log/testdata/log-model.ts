/**
 * What a log has to mean, kept beside a journal by the tests: a list of texts and a few facts.
 *
 * A snapshot's state is the list itself, so that a log means the same before and after one is saved.
 */
import type { Persist, Restored, Snapshot } from '../../../consensus/index.ts';
import { batch, entriesOf, snapshotOf } from './open-journal.ts';

/** All that a log says, however it is spread over snapshot and entries. */
export interface Meaning {
  readonly texts: readonly string[];
  readonly ballot: number;
  readonly incarnation: string | null;
  readonly muted: boolean;
}

/** Of a log that nothing was written to. */
export const NOTHING: Meaning = { texts: [], ballot: 0, incarnation: null, muted: false };

/** What a start gave back. */
export function meaningOf({ snapshot, entries, promise, incarnation, muted }: Restored): Meaning {
  const texts =
    snapshot === null ? [] : (JSON.parse(new TextDecoder().decode(snapshot.state)) as string[]).slice();
  for (const { payload } of entries) {
    texts.push(payload.type === 'changes' ? new TextDecoder().decode(payload.changes[0]) : payload.type);
  }
  return { texts, ballot: promise.ballot, incarnation, muted };
}

/** A snapshot of the first `index` texts. */
export function snapshotAt(meaning: Meaning, index: number): Snapshot {
  return snapshotOf(index, meaning.ballot, JSON.stringify(meaning.texts.slice(0, index)));
}

/** Entries that replace everything from `keep` on, and what the log means then. */
export function appended(
  meaning: Meaning,
  keep: number,
  texts: readonly string[],
): { readonly batch: Persist; readonly next: Meaning } {
  const ballot = meaning.ballot + (keep < meaning.texts.length ? 1 : 0);
  const next = { ...meaning, ballot, texts: [...meaning.texts.slice(0, keep), ...texts] };
  const promise = ballot === meaning.ballot ? null : { ballot, votedFor: `http://${ballot}` };
  return { batch: batch({ promise, entries: entriesOf(keep + 1, ballot, texts) }), next };
}

/** A snapshot from elsewhere in place of the log, and what the log means then. */
export function installed(
  meaning: Meaning,
  texts: readonly string[],
): { readonly batch: Persist; readonly next: Meaning } {
  const next = { ...meaning, texts };
  return { batch: batch({ snapshot: snapshotAt(next, texts.length) }), next };
}
