/**
 * Keys whose value is one of the words of a cluster: a range of durations, names of nodes, its URLs.
 *
 * How one such text is read; which values fit each other is decided in `keys/cluster-keys.ts`.
 */
import { failed, ok } from '../../base/index.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { type Notes, textField } from './field.ts';
import { isHost } from './tcp-address.ts';
import { textListField } from './text-list-field.ts';

/** A range of durations, shortest first. */
export interface DurationRange {
  readonly minMs: number;
  readonly maxMs: number;
}

const NODE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}@(.+)$/;
/** As many as a cluster may have members. */
const NAMES_MAX = 128;
const URL_LENGTH_MAX = 2_048;
/** A name of a cluster goes into the path of every call between its nodes. */
const CLUSTER_ID = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

/** Whether `text` is `name@host`. */
export function isNodeName(text: string): boolean {
  const host = NODE_NAME.exec(text)?.[1]?.replace(/^\[(.*)\]$/, '$1');
  return host !== undefined && isHost(host);
}

/** Two durations with a dash between them. */
export function durationRangeField(notes: Notes & { readonly fallback: DurationRange }) {
  const { fallback } = notes;
  const written = `${formatDuration(fallback.minMs)}-${formatDuration(fallback.maxMs)}`;
  return textField<DurationRange>({
    ...notes,
    type: 'duration-duration',
    fallback,
    defaultText: written,
    check: (text) => {
      const [from, to, ...more] = text.split('-').map((part) => parseDuration(part.trim()));
      const fits = from?.ok === true && to?.ok === true && more.length === 0;
      if (!fits || from.value < 1 || to.value <= from.value)
        return failed(`two durations such as ${written}`);
      return ok({ minMs: Math.round(from.value), maxMs: Math.round(to.value) });
    },
  });
}

/** The name of a cluster. */
export function clusterIdField(notes: Notes & { readonly fallback: string }) {
  return textField<string>({
    ...notes,
    type: 'name',
    defaultText: notes.fallback,
    check: (text) => (CLUSTER_ID.test(text) ? ok(text) : failed('1 to 64 letters, digits, `_`, `.` and `-`')),
  });
}

/** A URL that is told to others as it stands; null when there is none. */
export function externalUrlField(notes: Notes & { readonly schemes: readonly string[] }) {
  return textField<string | null>({
    ...notes,
    type: 'URL',
    fallback: null,
    defaultText: 'none',
    check: (text) => {
      const isUrl = URL.canParse(text) && text.length <= URL_LENGTH_MAX && /^[\x21-\x7e]+$/.test(text);
      if (isUrl && notes.schemes.includes(new URL(text).protocol)) return ok(text);
      return failed(`a URL such as ${notes.example}`);
    },
  });
}

/** Names of nodes; none when the key is left out. */
export function nodeNamesField(notes: Notes) {
  return textListField<readonly string[]>({
    ...notes,
    entriesMax: NAMES_MAX,
    absent: [],
    sample: 'node-01@10.0.0.1',
    expected: 'a name such as node-01@10.0.0.1',
    check: (text) => (isNodeName(text) ? ok(text) : failed('')),
  });
}
