/** Which keys change as a file is read again, and what the running node takes over of them. */
import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import type { FieldCard } from './fields/field.ts';
import { ALL_KEYS, type FileKeys } from './keys/file-keys.ts';
import { parseConfig } from './load.ts';
import { renderExample } from './reference.ts';
import { diffConfigs, planReload } from './reload-plan.ts';

function read(text: string): FileKeys {
  const outcome = parseConfig({ text, path: 'config.yml', env: {} });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value.keys;
}

function plan(before: string, after: string) {
  const outcome = planReload(read(before), read(after));
  if (!outcome.ok) throw new Error(outcome.error.join('\n'));
  return outcome.value;
}

describe('a file that is read again', () => {
  it('changes nothing when it says the same in other words', () => {
    const { changes, config } = plan(
      'idle_timeout: 90s\nhost: "127.0.0.1"\n',
      'host: 127.0.0.1\nidle_timeout: 1m30s\n',
    );
    expect(changes).toEqual({ live: [], restart: [] });
    expect(config.idleTimeoutMs).toBe(90_000);
  });

  it('names what is applied and what waits, and applies only the former', () => {
    const before = 'port: 7000\nworkers: 2\nlimits: { targets: 5 }\n';
    const {
      changes,
      config,
      keys: running,
    } = plan(before, 'port: 7001\nlimits: { targets: 6 }\ncompat: documented\n');
    expect(changes).toEqual({ live: ['compat', 'limits.targets'], restart: ['port', 'workers'] });
    expect(config).toMatchObject({
      port: 7_000,
      workers: 2,
      compat: 'documented',
      limits: { targetsMax: 6 },
    });
    // What waits is named again each time, until it is taken back or the node is started again.
    const wanted = read('port: 7001\nlimits: { targets: 6 }\ncompat: documented\n');
    expect(diffConfigs(running, wanted)).toEqual({ live: [], restart: ['port', 'workers'] });
  });

  it('never tells a value', () => {
    const token = 'a-token-that-nobody-may-see';
    const { changes } = plan(
      '',
      `app: { token: ${token} }\ncallback: { signing_keys: ["${token.repeat(2)}"] }\n`,
    );
    expect(changes.live).toEqual(['callback.signing_keys', 'app.token']);
    expect(JSON.stringify(changes)).not.toContain(token);
  });

  it('is refused when what can be applied does not fit to what cannot', () => {
    const before = 'app: { listen: "0.0.0.0:9181", token: a-token-of-some-length }\n';
    const outcome = planReload(read(before), read('app: { listen: "127.0.0.1:9181" }\n'));
    expect(outcome.ok).toBe(false);
    expect(outcome.ok ? '' : outcome.error.join()).toMatch(/^app\.listen: .*expected a token beside it/);
  });
});

test('every value that a file can have passes the check of values that were read before', () => {
  const whole = read(renderExample());
  expect(planReload(whole, whole).ok).toBe(true);
  expect(planReload(read(''), whole).ok).toBe(true);
});

test('every key is looked at, by the card that the reference page shows', () => {
  const before = read('');
  for (const { name, path, reader } of ALL_KEYS) {
    const { 'x-reload': reload } = z.globalRegistry.get(reader) as unknown as FieldCard;
    expect(['live', 'restart']).toContain(reload);
    const values = structuredClone(before.values) as unknown as Record<string, unknown>;
    let group = values;
    for (const part of path.slice(0, -1)) group = group[part] as Record<string, unknown>;
    group[path.at(-1) as string] = ['another value'];
    const changes = diffConfigs(before, { tree: {}, values } as unknown as FileKeys);
    expect(changes).toEqual({ live: [], restart: [], [reload]: [name] });
  }
  expect(ALL_KEYS.length).toBeGreaterThan(70);
});
