/**
 * `origin_policy`: one of kuiperbelt's three words, or the origins of the pages that may connect.
 *
 * Origins are kept in the one form in which browsers say them, so that they are compared as texts.
 */
import { z } from 'zod';
import { failed, ok, type Result } from '../../base/index.ts';
import { type OriginPolicy, readOrigin } from '../../relay/index.ts';
import { nearestName } from '../text/nearest-name.ts';
import { quoteShort } from '../text/problem.ts';
import { Scalar } from '../text/scalar.ts';
import { describeShape, type FieldSpec, type Notes, readField } from './field.ts';

const WORDS = ['none', 'same_origin', 'same_hostname'] as const;
const WORDS_TEXT = WORDS.map((word) => `\`${word}\``).join(', ');
const WORD: FieldSpec<OriginPolicy> = {
  description: '',
  type: WORDS_TEXT,
  json: {},
  fallback: 'none',
  defaultText: 'none',
  read: ({ text }) => {
    const word = WORDS.find((known) => known === text);
    if (word !== undefined) return ok(word);
    const near = nearestName(text, WORDS);
    const hint = near === null ? '' : ` (did you mean ${near}?)`;
    return failed(`a list such as [https://chat.example] or one of ${WORDS.join(', ')}${hint}`);
  },
};
/** Every handshake is compared with all of them. */
const ORIGINS_MAX = 100;
const EXPECTED = 'an origin such as https://chat.example, without a path and without wildcards';

/** The policy; `none` when the key is left out. */
export function originPolicyField(notes: Notes) {
  return z
    .unknown()
    .optional()
    .transform((input, context): OriginPolicy => {
      const policy = Array.isArray(input) ? readOrigins(input) : readField(WORD, input);
      if (policy.ok) return policy.value;
      context.addIssue({ code: 'custom', message: policy.error });
      return z.NEVER;
    })
    .meta({
      description: notes.description,
      type: ['string', 'array'],
      items: { type: 'string' },
      'x-type': `${WORDS_TEXT}, or list of origins`,
      'x-default': '`none`',
      'x-reason': notes.reason ?? '',
      'x-example': notes.example ?? 'none',
      'x-reload': notes.reload ?? 'restart',
    });
}

function readOrigins(items: readonly unknown[]): Result<OriginPolicy, string> {
  if (items.length === 0 || items.length > ORIGINS_MAX) {
    return failed(`expected 1 to ${ORIGINS_MAX} origins, got ${items.length}`);
  }
  const origins: string[] = [];
  for (const item of items) {
    if (!(item instanceof Scalar) || item.empty) {
      return failed(`expected ${EXPECTED}, got ${describeShape(item)}`);
    }
    // A variable without a value was reported where it stands.
    const origin = item.broken ? '' : readOrigin(item.text);
    if (origin === null) return failed(`expected ${EXPECTED}, got ${quoteShort(item.text)}`);
    origins.push(origin);
  }
  return ok(origins);
}
