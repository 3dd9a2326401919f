/**
 * The shapes of the contract as JSON Schema (draft 6), for error answers and for programs that read
 * the contract. Lengths of text count characters there, so ours, which are bytes, are told in words.
 * Pure.
 */
import type { Schema } from './schema.ts';

/** A JSON Schema. Survives JSON. */
export type JsonSchema = { readonly [key: string]: unknown };

/** `schema` in the words of JSON Schema. */
export function jsonSchemaOf(schema: Schema): JsonSchema {
  switch (schema.type) {
    case 'text':
      return {
        type: 'string',
        minLength: Math.min(1, schema.bytesMin),
        description: `at most ${schema.bytesMax} bytes of UTF-8`,
      };
    case 'choice':
      return { type: typeof schema.values[0], enum: schema.values };
    case 'boolean':
    case 'integer':
      return { type: schema.type };
    case 'any_object':
      return { type: 'object' };
    case 'nullable':
      return { anyOf: [jsonSchemaOf(schema.schema), { type: 'null' }] };
    case 'list': {
      const items = { type: 'array', items: jsonSchemaOf(schema.items) };
      return schema.itemsMax === null ? items : { ...items, maxItems: schema.itemsMax };
    }
    case 'object':
      return objectSchema(schema);
  }
}

function objectSchema({ properties }: Extract<Schema, { type: 'object' }>): JsonSchema {
  const entries = Object.entries(properties);
  const required = entries.filter(([, property]) => property.required).map(([name]) => name);
  const described = entries.map(([name, { schema, about }]): [string, JsonSchema] => {
    return [name, { ...jsonSchemaOf(schema), title: about }];
  });
  const whole = { type: 'object', properties: Object.fromEntries(described) };
  return required.length === 0 ? whole : { ...whole, required };
}
