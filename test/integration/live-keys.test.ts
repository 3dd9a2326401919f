/**
 * Every key that the reference calls `live`, changed under a running node, and what can be seen of it.
 *
 * Each case looks twice, before the change and after it, so that a key which is not applied cannot
 * pass. Keys whose effect takes a clock or a process in the test's hands are in the unit tests that
 * are named below.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure, ROOT, reloadNode } from '../support/index.ts';
import { CASES } from './live-keys/cases.ts';
import { base, node, startWorld, type Tree, withKey } from './live-keys/world.ts';

/** Keys whose effect takes a clock, or both ends of a part: in unit tests that have their names. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  send_timeout: 'src/gateway/live-config.test.ts',
  isolation_timeout: 'src/gateway/live-config.test.ts',
  'limits.receive_queue': 'src/gateway/live-config.test.ts',
  'idempotency.bytes': 'src/gateway/live-config.test.ts',
  'callback.dial_timeout': 'src/net/client/callback-backends.test.ts',
  'callback.max_in_flight': 'src/net/adjusted.test.ts',
  'callback.max_queued': 'src/net/adjusted.test.ts',
  'log.headers': 'src/gateway/logged-callbacks.test.ts',
  'log.bodies': 'src/gateway/logged-callbacks.test.ts',
  'drain.timeout': 'src/supervisor/reloading.test.ts',
  worker_hang_timeout: 'src/supervisor/reloading.test.ts',
  'overload.lag': 'src/gateway/live-config.test.ts',
  'overload.lag_shed': 'src/gateway/live-config.test.ts',
  'overload.heap': 'src/gateway/live-config.test.ts',
  'overload.heap_shed': 'src/gateway/live-config.test.ts',
  'overload.descriptors': 'src/gateway/live-config.test.ts',
};

beforeAll(startWorld, 60_000);

describe('a new value of', () => {
  test.each(CASES)('$key is applied', async ({ key, value, beside = {}, look, ...expected }) => {
    const given = typeof value === 'function' ? value() : value;
    let before = base;
    for (const [group, keys] of Object.entries(beside)) {
      for (const [name, other] of Object.entries(keys as Tree)) {
        before = withKey(before, `${group}.${name}`, other);
      }
    }
    configure(node, before);
    expect((await reloadNode(node)).problems).toEqual([]);
    if ('was' in expected) expect(await look()).toEqual(expected.was);
    configure(node, withKey(before, key, given));
    expect(await reloadNode(node)).toMatchObject({
      result: 'applied',
      applied: [key],
      restart: [],
      late: [],
    });
    expect(await look()).toEqual(expected.is);
  });
});

test('every key that the reference calls live has its test', () => {
  const page = readFileSync(join(ROOT, 'docs/reference/configuration.md'), 'utf8');
  const live = [...page.matchAll(/^\| `([a-z_.]+)` \|(?:[^|\\]|\\.)*\|(?:[^|\\]|\\.)*\| live \|/gm)].map(
    ([, name]) => name as string,
  );
  expect(live.length).toBeGreaterThan(60);
  const seen = [...CASES.map(({ key }) => key), ...Object.keys(ELSEWHERE)];
  expect([...seen].sort()).toEqual([...live].sort());
  for (const [key, file] of Object.entries(ELSEWHERE)) {
    expect(readFileSync(join(ROOT, file), 'utf8'), file).toContain(`\`${key}\``);
  }
});
