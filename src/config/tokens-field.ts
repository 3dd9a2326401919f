/**
 * Keys whose value is a bearer token or a list of them.
 *
 * A list is how a token is changed while everybody goes on working: the new one is added, callers
 * move over, the old one is taken out. Secrets are never repeated in a message.
 */
import { z } from 'zod';
import { failed, ok } from '../base/index.ts';
import { type FieldCard, type FieldSpec, type Notes, readField } from './field.ts';
import { Scalar } from './scalar.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const TOKEN_LENGTH_MAX = 512;
/** Shorter tokens can be guessed by trying. */
const TOKEN_LENGTH_ADVISED = 16;
/** Every request is compared with all of them. */
const TOKENS_MAX = 16;
const NONE = 'none';

const TOKEN: FieldSpec<string> = {
  description: '',
  type: 'token',
  json: {},
  fallback: '',
  defaultText: NONE,
  mask: () => '***',
  // An empty variable must not open the door that the operator meant to lock.
  valueRequired: true,
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

/** Bearer tokens, one or several; none when the key is left out, refused when it is there and empty. */
export function tokensField(notes: Notes) {
  const card: FieldCard = {
    description: notes.description,
    'x-type': 'token, or list of tokens',
    'x-default': NONE,
    'x-reason': notes.reason ?? '',
    'x-example': notes.example ?? NONE,
  };
  return z
    .unknown()
    .optional()
    .transform((input, context): readonly string[] => {
      if (input === undefined) return [];
      if (!Array.isArray(input)) return readToken(input, [], context);
      if (input.length > 0 && input.length <= TOKENS_MAX) {
        return input.flatMap((item, index) => readToken(item ?? NOTHING, [index], context));
      }
      const message = `expected 1 to ${TOKENS_MAX} tokens (leave the key out for none), got ${input.length}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ ...card, type: ['string', 'integer', 'array'], items: { type: ['string', 'integer'] } });
}

const NOTHING = new Scalar('', { plain: true });

interface Issues {
  addIssue(issue: { code: 'custom'; message: string; path: PropertyKey[] }): void;
}

function readToken(input: unknown, path: number[], issues: Issues): string[] {
  const token = readField(TOKEN, input);
  if (token.ok) return [token.value];
  issues.addIssue({ code: 'custom', message: token.error, path });
  return [];
}
