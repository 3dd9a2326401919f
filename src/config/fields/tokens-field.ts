/**
 * Keys whose value is a secret or a list of them: bearer tokens, keys for signatures.
 *
 * A list is how a secret is changed while everybody goes on working: the new one is added, callers
 * move over, the old one is taken out. Secrets are never repeated in a message.
 */
import { z } from 'zod';
import { failed, ok } from '../../base/index.ts';
import { Scalar } from '../text/scalar.ts';
import { type FieldCard, type FieldSpec, type Notes, readField } from './field.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const TOKEN_LENGTH_MAX = 512;
/** Shorter tokens can be guessed by trying. */
const TOKEN_LENGTH_ADVISED = 16;
/** As many as the digest has bytes; shorter keys would be the weaker part of a signature. */
const SIGNING_KEY_LENGTH_MIN = 32;
/** Whoever checks a token or a signature compares it with all of them. */
const SECRETS_MAX = 16;
const NONE = 'none';

/** What all secrets have in common. */
const SECRET = {
  description: '',
  json: {},
  fallback: '',
  defaultText: NONE,
  mask: () => '***',
  // An empty variable must not open the door that the operator meant to lock.
  valueRequired: true,
} as const;

const TOKEN: FieldSpec<string> = {
  ...SECRET,
  type: 'token',
  read: (scalar) => {
    const { text } = scalar;
    if (scalar.empty) return failed('a token (leave the key out for none)');
    if (!VISIBLE_ASCII.test(text) || text.length > TOKEN_LENGTH_MAX) {
      return failed(`a token of 1 to ${TOKEN_LENGTH_MAX} visible ASCII characters without spaces`);
    }
    if (text.length < TOKEN_LENGTH_ADVISED) {
      scalar.remarks.push(
        `the token is shorter than ${TOKEN_LENGTH_ADVISED} characters; choose a longer one`,
      );
    }
    return ok(text);
  },
};

const SIGNING_KEY: FieldSpec<string> = {
  ...SECRET,
  type: 'signing key',
  read: ({ text }) => {
    const fits = VISIBLE_ASCII.test(text) && text.length <= TOKEN_LENGTH_MAX;
    if (fits && text.length >= SIGNING_KEY_LENGTH_MIN) return ok(text);
    const range = `${SIGNING_KEY_LENGTH_MIN} to ${TOKEN_LENGTH_MAX}`;
    return failed(`a signing key of ${range} visible ASCII characters without spaces`);
  },
};

/** Bearer tokens, one or several; none when the key is left out, refused when it is there and empty. */
export function tokensField(notes: Notes) {
  return secretsField(notes, TOKEN);
}

/** Keys for signatures, under the same rules. */
export function signingKeysField(notes: Notes) {
  return secretsField(notes, SIGNING_KEY);
}

function secretsField(notes: Notes, kind: FieldSpec<string>) {
  const { type } = kind;
  const card: FieldCard = {
    description: notes.description,
    'x-type': `${type}, or list of ${type}s`,
    'x-default': NONE,
    'x-reason': notes.reason ?? '',
    'x-example': notes.example ?? NONE,
    'x-reload': notes.reload ?? 'restart',
  };
  return z
    .unknown()
    .optional()
    .transform((input, context): readonly string[] => {
      if (input === undefined) return [];
      if (!Array.isArray(input)) return readSecret(kind, input, [], context);
      if (input.length > 0 && input.length <= SECRETS_MAX) {
        return input.flatMap((item, index) => readSecret(kind, item ?? NOTHING, [index], context));
      }
      const range = `1 to ${SECRETS_MAX} ${type}s`;
      const message = `expected ${range} (leave the key out for none), got ${input.length}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ ...card, type: ['string', 'integer', 'array'], items: { type: ['string', 'integer'] } });
}

const NOTHING = new Scalar('', { plain: true });

interface Issues {
  addIssue(issue: { code: 'custom'; message: string; path: PropertyKey[] }): void;
}

function readSecret(kind: FieldSpec<string>, input: unknown, path: number[], issues: Issues): string[] {
  const secret = readField(kind, input);
  if (secret.ok) return [secret.value];
  issues.addIssue({ code: 'custom', message: secret.error, path });
  return [];
}
