/**
 * The reference page of the operator's API, made from the contract.
 *
 * A test compares it with docs/reference/operator-api.md and writes it anew when asked to. What
 * cannot be derived (how a call is made) is the prose at the top.
 */
import { GENERIC_ERRORS } from './generic-errors.ts';
import { jsonSchemaOf } from './json-schema.ts';
import type { Operation } from './operation.ts';
import { OPERATION_GROUPS } from './operations.ts';
import type { Property, Schema } from './schema.ts';

const INTRODUCTION = `# Operator's API

<!-- Made from src/contract/; \`npx vitest run src/contract -u\` writes it anew. -->

\`POST /\` on the operator's listener (\`api.listen\`), in the words of WebRTC SFU Sora: the header
\`x-sora-target\` names the operation and the date of its shape, the body is JSON, the answer too, without
a space. The body of an operation that takes none is left out; a \`content-type\` is not asked for. Keys
of a request that are not named here are ignored. [Operating nodes](../guides/operating-nodes.md) shows
calls to copy.

    curl -H 'x-sora-target: Sora_20171218.GetLicense' -X POST http://127.0.0.1:3000/

- Where \`api.token\` is set each call shows it: \`Authorization: Bearer …\`; else the answer is 401.
- Where \`api.cors_origin\` is set all answers of \`/\` carry \`access-control-allow-headers\`, \`-methods\`,
  \`-origin\` and \`access-control-max-age\`, and \`OPTIONS /\` answers 200 to anybody: browsers show no token
  when they ask whether they may call. The header \`Authorization\` is not among those that pages may send,
  so a page can call only a listener without a token.
- Names of response headers are in lower case.
- A list of any length comes in slices, and workers and node stay responsive meanwhile. Up to 64 KiB it
  has a \`content-length\`, beyond it is sent in chunks as fast as the client reads, and cut off when the
  client reads nothing for 30 seconds. A list that could not be finished is cut off too: half a list
  never looks whole.
- A gateway worker that does not answer a list within 2 seconds is named in the header
  \`x-arrokoth-silent-workers\`, such as \`gateway/1\`; its part is missing.
- At most 32 operations of a node are under way at once, and 4 lists.
`;

const CONVENTION = `An operation that is asked for what it cannot do answers 400 with
\`{"error_type":"UPPER-KEBAB","error_reason":{…}}\`; which ones there are is told with each operation. The
errors of all operations:

| \`error_type\` | status | \`error_reason\` | when |
| --- | --- | --- | --- |
`;

/** The whole page. */
export function renderOperatorReference(): string {
  const rows = Object.entries(GENERIC_ERRORS).map(([type, { status, key, reason, when }]) => {
    const name = key === 'type' ? `\`${type}\` (under the key \`type\`)` : `\`${type}\``;
    return `| ${name} | ${status} | ${reason ?? ''} | ${when} |\n`;
  });
  const groups = OPERATION_GROUPS.map(
    ({ title, operations }) => `## ${title}\n\n${operations.map(renderOperation).join('\n')}`,
  );
  return [INTRODUCTION, `## Errors\n\n${CONVENTION}${rows.join('')}`, ...groups].join('\n');
}

const RUNS_ON: Readonly<Record<Operation['runsOn'], string>> = {
  any: 'Any node answers it, from what it knows.',
  self: 'It is about the node that is asked.',
  owner:
    'Asked of a node while another one owns the channel, it is answered with 307 and the ' +
    '`location` of that one.',
};

function renderOperation(operation: Operation): string {
  const { service, versions, name, summary, runsOn, errors } = operation;
  const targets = versions.map((version) => `\`${service}_${version}.${name}\``).join(', ');
  return [
    `### ${name}\n\n${targets}. ${RUNS_ON[runsOn]}\n\n${summary}\n`,
    renderRequest(operation),
    `Answer: ${renderShape(operation.response)}`,
    ...(errors.length === 0 ? [] : [renderErrors(operation)]),
  ].join('\n');
}

function renderRequest({ request, bodyOptional }: Operation): string {
  if (request === null) return 'No body.\n';
  const json = JSON.stringify(jsonSchemaOf(request), null, 2);
  const schema = `<details><summary>JSON Schema</summary>\n\n\`\`\`json\n${json}\n\`\`\`\n\n</details>\n`;
  return `Request${bodyOptional ? ', may be left out' : ''}: ${renderShape(request)}\n${schema}`;
}

function renderErrors({ errors }: Operation): string {
  return `Errors:\n\n${errors.map(({ type, when }) => `- \`${type}\`: ${when}.\n`).join('')}`;
}

/** One sentence about the shape, and a table of its keys. */
function renderShape(schema: Schema): string {
  if (schema.type === 'list') return `a list of ${describe(schema.items)}\n${tableOf(schema.items)}`;
  return `${describe(schema)}\n${tableOf(schema)}`;
}

function describe(schema: Schema): string {
  switch (schema.type) {
    case 'text':
      return 'text';
    case 'choice':
      return schema.values.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
    case 'any_object':
    case 'object':
      return 'object';
    case 'nullable':
      return `${describe(schema.schema)} or null`;
    case 'list':
      return `list of ${describe(schema.items)}`;
    default:
      return schema.type;
  }
}

function tableOf(schema: Schema): string {
  if (schema.type !== 'object') return '';
  const rows = rowsOf(schema.properties, '').map((cells) => `| ${cells.join(' | ')} |\n`);
  return `\n| Key | Type | Always there | Meaning |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}

function rowsOf(properties: Readonly<Record<string, Property>>, prefix: string): string[][] {
  return Object.entries(properties).flatMap(([name, { schema, required, about }]) => {
    const inner = schema.type === 'list' ? schema.items : schema;
    const below = inner.type === 'object' ? rowsOf(inner.properties, `${prefix}${name}.`) : [];
    return [[`\`${prefix}${name}\``, describe(schema), required ? 'yes' : 'no', about], ...below];
  });
}
