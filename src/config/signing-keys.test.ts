/** `callback.signing_keys`: secrets that must be long, and are never shown. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from './load.ts';

const LONG = '0123456789abcdef0123456789abcdef';

function read(value: string, env: Record<string, string> = {}): readonly string[] | string {
  const outcome = parseConfig({ text: `callback:\n  signing_keys: ${value}\n`, path: 'c.yml', env });
  if (outcome.ok) return outcome.value.config.callback.signingKeys;
  return outcome.error.map(({ line, key, message }) => `${line} ${key}: ${message}`).join('\n');
}

describe('callback.signing_keys', () => {
  it('is empty unless it is set', () => {
    const outcome = parseConfig({ text: '', path: 'c.yml', env: {} });
    expect(outcome.ok && outcome.value.config.callback.signingKeys).toEqual([]);
  });

  it('takes a list, or one key alone, also from the environment', () => {
    expect(read(`["${LONG}", "\${OTHER}"]`, { OTHER: `${LONG}x` })).toEqual([LONG, `${LONG}x`]);
    expect(read(`\${ONE}`, { ONE: LONG })).toEqual([LONG]);
  });

  it.each([
    ['too short', `["${LONG.slice(1)}"]`],
    ['empty', '[""]'],
    ['nothing', ''],
    ['no key at all', '[]'],
    ['an empty variable', `["\${NONE:-}"]`],
    ['with a space', `["${LONG} ${LONG}"]`],
    ['too long', `["${'x'.repeat(513)}"]`],
    ['too many', `[${Array(17).fill(LONG).join(', ')}]`],
  ])('refuses %s without showing it', (_what, value) => {
    const message = read(value);
    expect(message).toMatch(/^2 callback\.signing_keys.*: expected (a signing key|1 to 16 signing keys)/);
    expect(message).not.toContain(LONG.slice(1));
  });
});
