/**
 * A key whose value is a list of mappings.
 *
 * Each entry is read as a whole; what is wrong with one is said at the list's place in the file, with
 * the number of the entry.
 */
import { z } from 'zod';
import type { Result } from '../../base/index.ts';
import { Scalar } from '../text/scalar.ts';
import { describeShape, type FieldCard, type Notes } from './field.ts';

/** How such a key is read and described. */
export interface ListSpec<Entry> extends Notes {
  readonly type: string;
  readonly entriesMax: number;
  /** Continues "expected ...", when the value is no list of mappings. */
  readonly expected: string;
  /** JSON Schema of one entry, for editors. */
  readonly items: Readonly<Record<string, unknown>>;
  /** The failure is a whole sentence without its full stop. */
  read(entry: Readonly<Record<string, unknown>>): Result<Entry, string>;
}

/** The list; empty when the key is left out. */
export function listField<Entry>(spec: ListSpec<Entry>) {
  const card: FieldCard = {
    description: spec.description,
    'x-type': spec.type,
    'x-default': 'none',
    'x-reason': spec.reason ?? '',
    'x-example': spec.example ?? '[]',
    'x-reload': spec.reload ?? 'restart',
  };
  return z
    .unknown()
    .optional()
    .transform((input, context): readonly Entry[] => {
      if (input === undefined || (input instanceof Scalar && (input.empty || input.broken))) return [];
      const refuse = (message: string, path: number[] = []) => {
        context.addIssue({ code: 'custom', message, path });
      };
      if (!Array.isArray(input)) {
        refuse(`expected ${spec.expected}, got ${describeShape(input)}`);
        return z.NEVER;
      }
      if (input.length > spec.entriesMax) {
        refuse(`expected at most ${spec.entriesMax} entries, got ${input.length}`);
        return z.NEVER;
      }
      const entries: Entry[] = [];
      for (const [index, item] of input.entries()) {
        if (item === null || typeof item !== 'object' || item instanceof Scalar || Array.isArray(item)) {
          refuse(`expected ${spec.expected}, got ${describeShape(item)} in it`, [index]);
          continue;
        }
        const entry = spec.read(item as Readonly<Record<string, unknown>>);
        if (entry.ok) entries.push(entry.value);
        else refuse(entry.error, [index]);
      }
      return entries;
    })
    .meta({ ...card, type: ['array', 'null'], items: spec.items, maxItems: spec.entriesMax });
}
