import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Ends the output with one line that a machine can read, `tests: 123 passed, 0 failed, 0 skipped`. A file that could
 * not run and an error that no test caught count as failed, so that the line never looks better than the exit code.
 */
export class SummaryReporter implements Reporter {
  constructor(private readonly name = 'tests') {}

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      // A module's own errors: it did not load, or a hook around its tests failed. Tests count by themselves.
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === 'pending' ? 'skipped' : state]++;
      }
    }
    process.stdout.write(`${this.name}: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
