/**
 * `trusted_proxies`: a list of addresses, ranges and the word `unix`.
 *
 * A key that is left out and an empty list are different answers: the first leaves the headers of
 * clients alone, as kuiperbelt does, the second trusts nobody. So null is kept apart from `[]`.
 */
import { z } from 'zod';
import { failed, type Result } from '../../base/index.ts';
import { checkTrustedProxy } from '../../relay/index.ts';
import { quoteShort } from '../text/problem.ts';
import { Scalar } from '../text/scalar.ts';
import { describeShape, type Notes } from './field.ts';

/** Each entry is compared with the peer of each connect, so that their number is bounded. */
const ENTRIES_MAX = 1_000;
const EXPECTED = 'an address such as 10.0.0.5, a range such as 10.0.0.0/8, or unix';

/** The list, or null when the key is left out. */
export function trustedProxiesField(notes: Notes) {
  return z
    .unknown()
    .optional()
    .transform((input, context): readonly string[] | null => {
      if (input === undefined || (input instanceof Scalar && (input.empty || input.broken))) return null;
      if (!Array.isArray(input)) {
        const message = `expected a list such as [10.0.0.0/8], got ${describeShape(input)}`;
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }
      if (input.length > ENTRIES_MAX) {
        const message = `expected at most ${ENTRIES_MAX} entries, got ${input.length}`;
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }
      const entries: string[] = [];
      for (const item of input) {
        const entry = readEntry(item);
        if (entry.ok) entries.push(entry.value);
        else context.addIssue({ code: 'custom', message: entry.error });
      }
      return entries;
    })
    .meta({
      description: notes.description,
      type: ['array', 'null'],
      items: { type: 'string' },
      'x-type': 'list',
      'x-default': 'none',
      'x-reason': notes.reason ?? '',
      'x-example': notes.example ?? '[]',
      'x-reload': notes.reload ?? 'restart',
    });
}

function readEntry(item: unknown): Result<string, string> {
  if (!(item instanceof Scalar) || item.empty)
    return failed(`expected ${EXPECTED}, got ${describeShape(item)}`);
  // A variable without a value was reported where it stands.
  if (item.broken) return { ok: true, value: 'unix' };
  const entry = checkTrustedProxy(item.text);
  return entry.ok ? entry : failed(`expected ${EXPECTED}, got ${quoteShort(item.text)} (${entry.error})`);
}
