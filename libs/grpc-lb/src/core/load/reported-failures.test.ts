import { expect, test } from 'vitest';
import { reportedFailures } from './reported-failures.js';

const report = (rps: number, eps: number, namedMetrics: Record<string, number> = {}) => ({
  cpuUtilization: 0,
  applicationUtilization: 0,
  rps,
  eps,
  namedMetrics,
});

test('a report that says that all calls fail stands for so many failures', () => {
  expect(reportedFailures(undefined)).toBe(0);
  expect(reportedFailures(report(300, 1))).toBe(0);
  expect(reportedFailures(report(300, 0, { failures_in_a_row: 7 }))).toBe(7);
  // By the rates alone: nearly all, and enough of them.
  expect(reportedFailures(report(300, 286))).toBe(286);
  expect(reportedFailures(report(300, 280))).toBe(0);
  expect(reportedFailures(report(4.9, 4.9))).toBe(0);
  // A server that counts failures in a row knows better than its rates.
  expect(reportedFailures(report(300, 300, { failures_in_a_row: 0 }))).toBe(0);
  // More errors than calls, as counters of different windows may say.
  expect(reportedFailures(report(1, 20))).toBe(20);
});
