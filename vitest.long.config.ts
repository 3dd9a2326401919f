/**
 * The slow tests of `npm run check:long`: thousands of connections, repeated kills.
 *
 * One file at a time, because each of them loads the whole machine.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'long',
    include: ['test/long/**/*.test.ts'],
    reporters: ['verbose', './test/setup/no-skips-reporter.ts'],
    globalSetup: ['./test/setup/build.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
  },
});
