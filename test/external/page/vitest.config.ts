import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../../support/run/summary-reporter.js';

/** The demo and its page in a real browser. Needs Chromium: Debian's package `chromium`, or its path in CHROMIUM. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    testTimeout: 60_000,
    // The demo is built first.
    hookTimeout: 120_000,
    // Two cores in CI, and every test here starts seven processes; two builds at the same time would collide.
    fileParallelism: false,
    reporters: ['verbose', new SummaryReporter('page')],
  },
});
