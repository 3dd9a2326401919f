/** The reference page is fresh, complete, and its example is a valid file. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from './load.ts';
import { renderExample, renderReference } from './reference.ts';
import { configJsonSchema, GROUPS, topKeys } from './schema.ts';

const page = readFileSync(new URL('../../docs/reference/configuration.md', import.meta.url), 'utf8');
const names = [
  ...Object.keys(topKeys),
  ...Object.entries(GROUPS).flatMap(([group, { keys }]) => Object.keys(keys).map((key) => `${group}.${key}`)),
];

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
      const [key, sub] = (name as string).split('.') as [string, string | undefined];
      const value = sub === undefined ? `${key}: ${text}` : `${key}: { ${sub}: ${text} }`;
      const outcome = parseConfig({ text: value, path: '', env: {} });
      expect(outcome.ok && outcome.value.config, value).toEqual(defaults.ok && defaults.value.config);
      shown += 1;
    }
    expect(shown).toBeGreaterThan(40);
  });
});

describe('configJsonSchema', () => {
  it('knows every key with its description, and no other', () => {
    const schema = configJsonSchema() as { properties: Record<string, { properties?: object }> };
    const found = Object.entries(schema.properties).flatMap(([name, { properties }]) =>
      name in GROUPS ? Object.keys(properties ?? {}).map((key) => `${name}.${key}`) : [name],
    );
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
