/**
 * `trusted_proxies`: a list of addresses, ranges and the word `unix`.
 *
 * A key that is left out and an empty list are different answers: the first leaves the headers of
 * clients alone, as kuiperbelt does, the second trusts nobody. So null is kept apart from `[]`.
 */
import { checkTrustedProxy } from '../../relay/index.ts';
import type { Notes } from './field.ts';
import { textListField } from './text-list-field.ts';

/** Each entry is compared with the peer of each connect, so that their number is bounded. */
const ENTRIES_MAX = 1_000;

/** The list, or null when the key is left out. */
export function trustedProxiesField(notes: Notes) {
  return textListField<null>({
    ...notes,
    entriesMax: ENTRIES_MAX,
    absent: null,
    sample: '10.0.0.0/8',
    expected: 'an address such as 10.0.0.5, a range such as 10.0.0.0/8, or unix',
    check: checkTrustedProxy,
  });
}
