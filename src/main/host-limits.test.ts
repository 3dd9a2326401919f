import { describe, expect, test } from 'vitest';
import { DEFAULTS } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import { descriptorReserve, fitToHost } from './host-limits.ts';

const NOBODY = { backends: null, maxInFlight: 1_000, tunnelsMax: 1_000 };

const asking = (connectionsMax: number, { workers = 1, maxInFlight = 100, upstream = {} } = {}) =>
  ({
    workers,
    limits: { connectionsMax },
    callback: { maxInFlight },
    upstream: { ...NOBODY, ...upstream },
  }) as unknown as Config;

describe('fitToHost', () => {
  test('lowers the connections to what the descriptors of all workers allow', () => {
    const fitted = fitToHost(asking(30_000, { workers: 2 }), 4_096);
    expect(fitted.config.limits.connectionsMax).toBe(2 * (4_096 - 328 - 128));
    expect(fitted.warnings).toHaveLength(1);
    expect(fitted.warnings[0]).toContain('30000');
    expect(fitToHost(asking(30_000), 8).config.limits.connectionsMax).toBe(1);
  });

  test('lowers the default without a word', () => {
    const { config, warnings } = fitToHost(asking(DEFAULTS.connectionsMax), 4_096);
    expect(config.limits.connectionsMax).toBe(3_640);
    expect(warnings).toEqual([]);
  });

  test('leaves alone what fits, and what it cannot know', () => {
    for (const descriptorsMax of [20_456, Number.POSITIVE_INFINITY, null]) {
      const config = asking(20_000);
      expect(fitToHost(config, descriptorsMax)).toEqual({ config, warnings: [] });
    }
  });

  test('lets callbacks have half of the descriptors at most', () => {
    const fitted = fitToHost(asking(10, { maxInFlight: 5_000 }), 1_024);
    expect(fitted.config.callback.maxInFlight).toBe((512 - 128) / 2);
    expect(fitted.warnings).toEqual([expect.stringContaining('callback.max_in_flight is 5000')]);
    const { callbackMaxInFlight: maxInFlight } = DEFAULTS;
    const quiet = fitToHost(asking(10, { maxInFlight }), 700);
    expect([quiet.config.callback.maxInFlight, quiet.warnings]).toEqual([111, []]);
    expect(fitToHost(asking(1), 8).config.callback.maxInFlight).toBe(1);
  });
});

test('the reserve holds callbacks, late ones, what is passed on, and what a worker needs itself', () => {
  const plain = asking(1, { maxInFlight: 256 });
  expect(descriptorReserve(20_000, plain)).toBe(2 * 256 + 128);
  expect(descriptorReserve(700, plain)).toBe(350);
  const upstream = { backends: ['http://app.test'] };
  expect(descriptorReserve(20_000, asking(1, { maxInFlight: 256, upstream }))).toBe(2 * 256 + 128 + 2_000);
});
