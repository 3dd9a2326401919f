/**
 * A key whose value is a list of short texts: names, addresses.
 *
 * Each entry is read by itself, and every wrong one is named. A key that is left out and an empty
 * list may be different answers; what the first one means is up to the key.
 */
import { z } from 'zod';
import type { Result } from '../../base/index.ts';
import { quoteShort } from '../text/problem.ts';
import { Scalar } from '../text/scalar.ts';
import { describeShape, type Notes } from './field.ts';

/** How such a key is read and described. */
export interface TextListSpec<Absent> extends Notes {
  readonly entriesMax: number;
  /** The value of a key that is left out. */
  readonly absent: Absent;
  /** An entry that is right, for whoever wrote no list at all. */
  readonly sample: string;
  /** What an entry is; continues "expected ...". */
  readonly expected: string;
  /** The entry as the program uses it, or more about what is wrong with it; empty: there is no more. */
  check(text: string): Result<string, string>;
}

/** The list. */
export function textListField<Absent>(spec: TextListSpec<Absent>) {
  return z
    .unknown()
    .optional()
    .transform((input, context): readonly string[] | Absent => {
      if (input === undefined || (input instanceof Scalar && (input.empty || input.broken)))
        return spec.absent;
      const refuse = (message: string) => {
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      };
      if (!Array.isArray(input)) {
        return refuse(`expected a list such as [${spec.sample}], got ${describeShape(input)}`);
      }
      if (input.length > spec.entriesMax) {
        return refuse(`expected at most ${spec.entriesMax} entries, got ${input.length}`);
      }
      const entries: string[] = [];
      for (const item of input) {
        const wrong = readEntry(item, spec, entries);
        if (wrong !== null) refuse(`expected ${spec.expected}, got ${wrong}`);
      }
      return entries;
    })
    .meta({
      description: spec.description,
      type: ['array', 'null'],
      items: { type: 'string' },
      'x-type': 'list',
      'x-default': 'none',
      'x-reason': spec.reason ?? '',
      'x-example': spec.example ?? '[]',
      'x-reload': spec.reload ?? 'restart',
    });
}

/** Adds the entry; or says what was met instead of one. */
function readEntry(
  item: unknown,
  { check }: Pick<TextListSpec<unknown>, 'check'>,
  entries: string[],
): string | null {
  if (!(item instanceof Scalar) || item.empty) return describeShape(item);
  // A variable without a value was reported where it stands.
  if (item.broken) return null;
  const entry = check(item.text);
  if (!entry.ok) return quoteShort(item.text) + (entry.error === '' ? '' : ` (${entry.error})`);
  entries.push(entry.value);
  return null;
}
