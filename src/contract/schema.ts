/**
 * The shapes of what operations take and answer.
 *
 * A language of our own for the few shapes that there are, so that the contract needs no package and
 * says of a wrong value what callers of this API expect to hear. `check.ts` compares values with
 * them, `json-schema.ts` writes them as JSON Schema. Pure.
 */

/** Anything that survives JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One key of an object. */
export interface Property {
  readonly schema: Schema;
  readonly required: boolean;
  /** What it says, as a sentence. */
  readonly about: string;
}

/** A shape. */
export type Schema =
  | { readonly type: 'text'; readonly bytesMin: number; readonly bytesMax: number }
  | { readonly type: 'choice'; readonly values: readonly (string | boolean)[] }
  | { readonly type: 'boolean' }
  | { readonly type: 'integer' }
  /** An object of the caller's own, handed on as it is. */
  | { readonly type: 'any_object' }
  | { readonly type: 'nullable'; readonly schema: Schema }
  | { readonly type: 'list'; readonly items: Schema; readonly itemsMax: number | null }
  | { readonly type: 'object'; readonly properties: Readonly<Record<string, Property>> };

/** An object; keys that it does not name are ignored. */
export function object(properties: Readonly<Record<string, Property>>): Extract<Schema, { type: 'object' }> {
  return { type: 'object', properties };
}

/** A key that has to be there. */
export function needed(schema: Schema, about: string): Property {
  return { schema, required: true, about };
}

/** A key that may be left out. */
export function optional(schema: Schema, about: string): Property {
  return { schema, required: false, about };
}

/** Text of `bytesMin` to `bytesMax` bytes of UTF-8. */
export function text(bytesMax: number, bytesMin = 1): Schema {
  return { type: 'text', bytesMin, bytesMax };
}

/** One of these values. */
export function choice(...values: readonly (string | boolean)[]): Schema {
  return { type: 'choice', values };
}

/** A list; `itemsMax` null: as long as it is. */
export function list(items: Schema, itemsMax: number | null = null): Schema {
  return { type: 'list', items, itemsMax };
}

/** That shape, or null. */
export function nullable(schema: Schema): Schema {
  return { type: 'nullable', schema };
}

/** True or false. */
export const BOOLEAN: Schema = { type: 'boolean' };
/** A whole number. */
export const INTEGER: Schema = { type: 'integer' };
/** An object of the caller's own. */
export const ANY_OBJECT: Schema = { type: 'any_object' };
