/**
 * Whether a value has the shape that an operation asks for, and what is wrong with it where it has not.
 *
 * Keys that a shape does not name are accepted and ignored, so that callers of newer versions of the
 * original are served. Pure.
 */
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import type { Json, Schema } from './schema.ts';

/** One thing that is wrong with a value. */
export interface Problem {
  readonly error: 'missing_required_property' | 'wrong_type' | 'not_in_enum' | 'wrong_length' | 'too_deep';
  /** Where, from the outside in. */
  readonly path: readonly (string | number)[];
  /** What was expected there. */
  readonly schema: JsonSchema;
  readonly data: Json;
}

/** More problems tell nobody more. */
const PROBLEMS_MAX = 16;
/** Levels of an object of the caller's own: everything that reads it later recurses into it. */
const DEPTH_MAX = 64;

type Path = readonly (string | number)[];

/** All that is wrong with `value`, up to a bound; nothing when it has that shape. */
export function check(schema: Schema, value: Json): readonly Problem[] {
  const problems: Problem[] = [];
  inspect(schema, value, [], (error, path, expected, data) => {
    if (problems.length === PROBLEMS_MAX) return;
    problems.push({ error, path, schema: jsonSchemaOf(expected), data });
  });
  return problems;
}

type JsonObject = Readonly<Record<string, Json>>;
type Report = (error: Problem['error'], path: Path, expected: Schema, data: Json) => void;

function inspect(schema: Schema, value: Json, path: Path, report: Report): void {
  if (schema.type === 'nullable') {
    if (value !== null) inspect(schema.schema, value, path, report);
    return;
  }
  if (!hasType(schema, value)) return report('wrong_type', path, schema, value);
  switch (schema.type) {
    case 'choice':
      if (!schema.values.includes(value as string | boolean)) report('not_in_enum', path, schema, value);
      return;
    case 'text': {
      const bytes = byteLength(value as string);
      if (bytes < schema.bytesMin || bytes > schema.bytesMax) report('wrong_length', path, schema, value);
      return;
    }
    case 'any_object':
      if (isDeeper(value, DEPTH_MAX)) report('too_deep', path, schema, null);
      return;
    case 'list': {
      const items = value as readonly Json[];
      if (schema.itemsMax !== null && items.length > schema.itemsMax) {
        return report('wrong_length', path, schema, null);
      }
      items.forEach((item, index) => {
        inspect(schema.items, item, [...path, index], report);
      });
      return;
    }
    case 'object':
      return inspectObject(schema, value as JsonObject, path, report);
    default:
      return;
  }
}

function inspectObject(
  schema: Extract<Schema, { type: 'object' }>,
  value: JsonObject,
  path: Path,
  report: Report,
): void {
  for (const [name, property] of Object.entries(schema.properties)) {
    const given = Object.hasOwn(value, name) ? (value[name] as Json) : undefined;
    if (given !== undefined) inspect(property.schema, given, [...path, name], report);
    else if (property.required) report('missing_required_property', [...path, name], property.schema, null);
  }
}

function hasType(schema: Exclude<Schema, { type: 'nullable' }>, value: Json): boolean {
  switch (schema.type) {
    case 'text':
      return typeof value === 'string';
    case 'choice':
      return schema.values.some((choice) => typeof choice === typeof value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'list':
      return Array.isArray(value);
    default:
      return typeof value === 'object' && value !== null && !Array.isArray(value);
  }
}

/** Bytes of UTF-8, counted without making them: this room has no platform. */
function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inside) => isDeeper(inside as Json, levels - 1));
}
