import { expect, test } from 'vitest';
import { DEFAULTS } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import { fitToHost } from './host-limits.ts';

const asking = (connectionsMax: number, workers = 1) =>
  ({ workers, limits: { connectionsMax } }) as unknown as Config;

test('fitToHost lowers the connections to what the descriptors of all workers allow', () => {
  const fitted = fitToHost(asking(30_000, 2), 4_096);
  expect(fitted.config.limits.connectionsMax).toBe(7_168);
  expect(fitted.warnings).toHaveLength(1);
  expect(fitted.warnings[0]).toContain('30000');
  expect(fitToHost(asking(30_000), 8).config.limits.connectionsMax).toBe(1);
});

test('fitToHost lowers the default without a word', () => {
  const { config, warnings } = fitToHost(asking(DEFAULTS.connectionsMax), 4_096);
  expect(config.limits.connectionsMax).toBe(3_584);
  expect(warnings).toEqual([]);
});

test('fitToHost leaves alone what fits, and what it cannot know', () => {
  for (const descriptorsMax of [20_512, Number.POSITIVE_INFINITY, null]) {
    const config = asking(20_000);
    expect(fitToHost(config, descriptorsMax)).toEqual({ config, warnings: [] });
  }
});
