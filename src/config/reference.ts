/**
 * The reference page of the configuration file, made from the schema.
 *
 * `scripts/write-configuration-reference.ts` writes it to docs/reference/configuration.md; a test
 * fails when the page and the schema differ. What cannot be derived (templates, variables,
 * notation) is the prose at the top.
 */
import { z } from 'zod';
import type { FieldCard } from './fields/field.ts';
import { type Keys, keysOfGroup } from './keys/group.ts';
import { GROUPS, topKeys } from './schema.ts';

const INTRODUCTION = `# Configuration file

<!-- Made from src/config/schema.ts by scripts/write-configuration-reference.ts; edit it there. -->

One YAML file. A configuration file of kuiperbelt works as it is; the keys that are ours are marked.
Every key may be left out. \`arrokoth config check FILE\` reads a file and lists all that is wrong
with it: line, column, key, what was expected. A node does not start with a wrong file, and a key
that it does not know is wrong.

The column \`Reload\` says what happens when the file is read again by \`SIGHUP\` or
[\`arrokoth reload\`](../guides/reload.md): a \`live\` key is applied at once, one that says \`restart\`
is named and waits for the next start.

## Values from the environment

Two notations, which may be mixed:

- \`\${VAR}\` and \`\${VAR:-default}\` inside a value. They are filled in after YAML was read, so that no
  value of a variable can change the structure of the file. A \`\${VAR}\` that is not set is an error;
  the default stands in for an empty variable too. Inside \`{ }\` and \`[ ]\` write the value in quotes:
  \`{ token: "\${TOKEN}" }\`. A literal \`\${\` is written \`$\${\`.
- \`{{ env "A" "B" "default" }}\` and \`{{ must_env "A" }}\`, as in kuiperbelt. They are filled in before
  YAML is read, everywhere in the file, comments included, and pasted without quotes. \`env\` takes the
  first variable that is not empty and else its last argument as it stands; \`must_env\` demands that
  the variable is set. \`{{- \` and \` -}}\` drop white space on their side, \`{{/* text */}}\` is a comment.
  Nothing else of Go's templates is understood.
`;

const TYPES: ReadonlyArray<readonly [name: string, ...sentences: string[]]> = [
  [
    'duration',
    "Go's: `300ms`, `10s`, `1m30s`, `1.5h`; units `ns`, `us`, `ms`, `s`, `m`, `h`. At most `576h`.",
    'A number without a unit counts nanoseconds, as in kuiperbelt; below 1 ms that draws a warning.',
  ],
  ['size', '`64KiB`, `1MiB`, `1GiB` (powers of 1024), `1MB` (powers of 1000), or a number of bytes.'],
  ['boolean', '`true` and `false`, also `yes`, `no`, `on`, `off`, `y`, `n`; never in quotes.'],
  ['integer', 'Without quotes.'],
  ['address', '`host:port`, `:port` for all interfaces, `[::1]:port`; port `0` takes any free one.'],
  ['URL', 'Absolute, `http://` or `https://`.'],
  ['path, file path, host, port, token, text', 'As it stands; quotes do not matter.'],
];

const EMPTY_VALUES = `
A key without a value, or with an empty text, has its default; a \`token\` may not be empty.
`;

/** The whole page. */
export function renderReference(): string {
  const types = TYPES.map(([name, ...sentences]) => tableRow(name, sentences.join(' ')));
  const sections = Object.entries(GROUPS).map(
    ([name, group]) => `## \`${name}\`\n\n${group.description}\n\n${renderTable(group.keys, `${name}.`)}`,
  );
  return [
    INTRODUCTION,
    `## Types\n\n${tableHead('Type', 'Notation')}${types.join('')}${EMPTY_VALUES}`,
    `## Top level\n\n${renderTable(topKeys, '')}`,
    ...sections,
    `## A complete file\n\nEvery key once. Most of them have their default here.\n\n` +
      `\`\`\`yaml\n${renderExample()}\`\`\`\n`,
  ].join('\n');
}

/** A file that sets every key; a test reads it. */
export function renderExample(): string {
  const groups = Object.entries(GROUPS).map(([name, group]) => `${name}:\n${renderLines(group.keys, '  ')}`);
  return `${renderLines(topKeys, '')}${groups.join('')}`;
}

function renderLines(keys: Keys, indent: string): string {
  const lines = Object.entries(keys).map(([name, key]) => {
    const inside = keysOfGroup(key);
    if (inside !== null) return `${indent}${name}:\n${renderLines(inside, `${indent}  `)}`;
    return `${indent}${name}: ${card(key)['x-example']}\n`;
  });
  return lines.join('');
}

function renderTable(keys: Keys, prefix: string): string {
  return (
    tableHead('Key', 'Type', 'Default', 'Reload', 'Meaning', 'Bounds and reason') + renderRows(keys, prefix)
  );
}

/** A group within a group has a row of its own, and its keys follow it. */
function renderRows(keys: Keys, prefix: string): string {
  const rows = Object.entries(keys).map(([name, key]) => {
    const names = `\`${prefix}${name}\``;
    const inside = keysOfGroup(key);
    const field = card(key);
    const { description } = field;
    if (inside === null) {
      const [type, fallback, reload] = [field['x-type'], field['x-default'], field['x-reload']];
      return tableRow(names, type, fallback, reload, description, field['x-reason']);
    }
    return tableRow(names, 'group', '', '', description, '') + renderRows(inside, `${prefix}${name}.`);
  });
  return rows.join('');
}

function tableHead(...titles: string[]): string {
  return tableRow(...titles) + tableRow(...titles.map(() => '---'));
}

function tableRow(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}

function card(key: Keys[string]): FieldCard {
  return z.globalRegistry.get(key) as unknown as FieldCard;
}
