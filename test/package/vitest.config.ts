import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../support/run/summary-reporter.js';

/** What users get: the packed tarball, installed and run outside of the workspace. Needs a package registry. */
export default defineConfig({
  test: {
    include: ['test/package/*.test.ts'],
    globalSetup: 'test/package/global-setup.ts',
    // They bound what hangs: on a busy machine installing and compiling take long.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Every test here starts programs, which keep a core busy each.
    maxWorkers: 2,
    reporters: ['verbose', new SummaryReporter('package')],
  },
});
