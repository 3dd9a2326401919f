/**
 * A group of keys: a mapping of the file whose keys are all known.
 *
 * Groups stand at the top level of the file and inside of one another; what a group holds can be
 * asked for, so that the reference page and the messages about unknown keys follow them down.
 */
import { z } from 'zod';
import { describeShape } from '../fields/field.ts';
import { Scalar } from '../text/scalar.ts';

/** The keys of a group, or of the top level, by name. */
export type Keys = Readonly<Record<string, z.core.$ZodType>>;

/** The reader of a group; absent, it is one whose keys are all absent. */
export function group<Shape extends z.core.$ZodLooseShape>(entry: { description: string; keys: Shape }) {
  const keys = z.strictObject(entry.keys, {
    error: (issue) =>
      issue.code === 'invalid_type'
        ? `expected a mapping of keys, got ${describeShape(issue.input)}`
        : undefined,
  });
  return z.preprocess(toMapping, keys).meta({ description: entry.description });
}

/** A group without a value is an empty one. Any other scalar must not pass for a mapping: it is an object. */
function toMapping(input: unknown): unknown {
  if (input === undefined) return {};
  if (!(input instanceof Scalar)) return input;
  return input.empty || input.broken ? {} : input.text;
}

/** What is inside of a key that is a group itself; null for every other key. */
export function keysOfGroup(key: z.core.$ZodType | undefined): Keys | null {
  const inside = key instanceof z.ZodPipe ? key.def.out : null;
  return inside instanceof z.ZodObject ? (inside.shape as Keys) : null;
}
