/**
 * Which tests run where: `unit` beside the code, `simulation` in worlds that a seed makes,
 * `integration` with real processes on loopback,
 * `e2e` in a browser. The slow ones have a file of their own, `vitest.long.config.ts`.
 *
 * Projects run one after the other, because a test that starts a node with its workers needs the
 * machine for itself.
 */
import { defineConfig } from 'vitest/config';

/** Whole runs of the simulator: processes that keep both cores busy, so they run by themselves. */
const SIMULATED = ['sim/sim.test.ts', 'sim/canaries/canaries.test.ts', 'sim/cluster/cluster.test.ts'];
const REAL_PROCESSES = { testTimeout: 60_000, hookTimeout: 120_000, maxWorkers: 2 };

export default defineConfig({
  test: {
    reporters: ['default', './test/setup/no-skips-reporter.ts'],
    coverage: {
      provider: 'v8',
      include: ['base', 'consensus', 'cluster', 'relay', 'config'].map((room) => `src/${room}/**/*.ts`),
      exclude: ['**/*.test.ts', '**/testdata/**', '**/index.ts', '**/types.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 97, functions: 97, statements: 97, branches: 93 },
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'browser/**/*.test.ts',
            'bench/**/*.test.ts',
            'sim/**/*.test.ts',
            'test/legacy/**/*.test.ts',
            'test/compat/**/*.test.ts',
            'test/*.test.ts',
            'test/support/**/*.test.ts',
            'examples/**/*.test.ts',
          ],
          exclude: SIMULATED,
          globalSetup: ['./test/setup/build-browser.ts'],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'simulation',
          include: SIMULATED,
          maxWorkers: 1,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...REAL_PROCESSES,
          name: 'integration',
          include: [
            'test/integration/**/*.test.ts',
            'test/conformance/**/*.test.ts',
            'test/security/**/*.test.ts',
          ],
          globalSetup: ['./test/setup/build.ts'],
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...REAL_PROCESSES,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['./test/setup/build.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
