import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../support/run/summary-reporter.js';

/** What users get: the packed tarball, installed and run outside of the workspace. Needs a package registry. */
export default defineConfig({
  test: {
    include: ['test/package/*.test.ts'],
    globalSetup: 'test/package/global-setup.ts',
    testTimeout: 90_000,
    // Two cores in CI, and every test here starts programs.
    fileParallelism: false,
    reporters: ['verbose', new SummaryReporter('package')],
  },
});
