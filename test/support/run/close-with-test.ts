import { onTestFinished, TestRunner } from 'vitest';

/**
 * Closes something when the test that opened it ends, also when that test fails half way: one failure must not become
 * many. What `beforeAll` or a concurrent test opens belongs to no single current test; there the opener closes it.
 */
export function closeWithTest(close: () => unknown): void {
  const test = TestRunner.getCurrentTest();
  if (test && !test.concurrent) onTestFinished(async () => void (await close()));
}
