import { performance } from 'node:perf_hooks';
import { expect, it } from 'vitest';
import { after } from './running-time.js';

it('ends no earlier than its time', async () => {
  const start = performance.now();
  await after(20, new AbortController().signal);
  // Timers of Node may be early by a part of a millisecond.
  expect(performance.now() - start).toBeGreaterThan(18);
});

it('does not count the time for which the process did not run', async () => {
  const waited = after(100, new AbortController().signal);
  const start = performance.now();
  while (performance.now() - start < 150);
  const running = performance.now();
  await waited;
  expect(performance.now() - running).toBeGreaterThan(70);
});

it('ends with its signal', async () => {
  const over = new AbortController();
  const waited = after(86_400_000, over.signal);
  over.abort();
  await waited;
  await after(86_400_000, over.signal);
});
