/**
 * In CI a skipped test is a failed run: a promise that nobody checked must not look kept.
 *
 * Elsewhere the skipped tests are listed, so that nobody overlooks them.
 */
import type { Reporter, TestModule } from 'vitest/node';

/** Looks for skipped tests when everything else is done. */
export default class NoSkipsReporter implements Reporter {
  onTestRunEnd(testModules: readonly TestModule[]): void {
    const skipped: string[] = [];
    for (const testModule of testModules) {
      for (const test of testModule.children.allTests('skipped')) {
        skipped.push(`${testModule.relativeModuleId} > ${test.fullName}`);
      }
    }
    // A run that names tests on the command line skips the others on purpose.
    if (skipped.length === 0 || process.argv.some((word) => /^(-t|--testNamePattern)/.test(word))) return;
    const inCi = Boolean(process.env.CI);
    console.error(`\nSKIPPED tests: ${skipped.length}${inCi ? ', which is a failure in CI' : ''}`);
    for (const name of skipped) console.error(`  ${name}`);
    if (inCi) process.exitCode = 1;
  }
}
