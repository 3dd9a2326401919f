/** The reference page is fresh, complete, and its example is a valid file. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Keys, keysOfGroup } from './keys/group.ts';
import { parseConfig } from './load.ts';
import { renderExample, renderReference } from './reference.ts';
import { configJsonSchema, GROUPS, topKeys } from './schema.ts';

const page = readFileSync(new URL('../../docs/reference/configuration.md', import.meta.url), 'utf8');
const names = [
  ...Object.keys(topKeys),
  ...Object.entries(GROUPS).flatMap(([group, { keys }]) => namesIn(keys, `${group}.`)),
];

/** Groups within groups are named themselves, before their keys. */
function namesIn(keys: Keys, prefix: string): string[] {
  return Object.entries(keys).flatMap(([name, key]) => [
    `${prefix}${name}`,
    ...namesIn(keysOfGroup(key) ?? {}, `${prefix}${name}.`),
  ]);
}

describe('docs/reference/configuration.md', () => {
  it('is what scripts/write-configuration-reference.ts writes', () => {
    expect(page).toBe(renderReference());
  });

  it('describes every key once', () => {
    for (const name of names) expect(page.split(`| \`${name}\` |`)).toHaveLength(2);
  });

  it('shows a complete file that is valid and draws no warning', () => {
    expect(page).toContain(renderExample());
    const outcome = parseConfig({ text: renderExample(), path: 'config.yml', env: {} });
    expect(outcome.ok ? outcome.value.warnings : outcome.error).toEqual([]);
  });

  it('shows defaults that the keys really have', () => {
    const lines = page.matchAll(/^\| `([a-z_.]+)` \| [^|]+ \| `([^`]+)` \|/gm);
    const defaults = parseConfig({ text: '', path: '', env: {} });
    let shown = 0;
    for (const [, name, text] of lines) {
      const [key, ...inside] = (name as string).split('.').reverse() as [string, ...string[]];
      const value = inside.reduce((within, group) => `${group}: { ${within} }`, `${key}: ${text}`);
      const outcome = parseConfig({ text: value, path: '', env: {} });
      expect(outcome.ok && outcome.value.config, value).toEqual(defaults.ok && defaults.value.config);
      shown += 1;
    }
    expect(shown).toBeGreaterThan(40);
  });
});

describe('configJsonSchema', () => {
  it('knows every key with its description, and no other', () => {
    interface Node {
      readonly properties?: Record<string, Node>;
    }
    const namesOf = ({ properties = {} }: Node, prefix: string): string[] =>
      Object.entries(properties).flatMap(([name, inside]) => {
        const below = namesOf(inside, `${prefix}${name}.`);
        return prefix === '' && name in GROUPS ? below : [`${prefix}${name}`, ...below];
      });
    const schema = configJsonSchema() as Node;
    const found = namesOf(schema, '');
    expect(found).toEqual(names);
    expect(schema).toMatchObject({
      additionalProperties: false,
      properties: {
        port: { default: 9_180, description: expect.any(String) },
        callback: { additionalProperties: false, properties: { close_timeout: { default: '10s' } } },
      },
    });
    expect(JSON.stringify(schema)).not.toContain('"required":');
  });
});
