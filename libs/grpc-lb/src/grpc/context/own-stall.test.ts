import { performance } from 'node:perf_hooks';
import { afterEach, expect, test } from 'vitest';
import { BEAT_MS, STALL_MS } from '../../core/own-stall.js';
import { ownStallOf } from './own-stall.js';
import { systemClock } from './system-clock.js';

let stop = (): void => {};

afterEach(() => stop());

test('a blocked event loop is noticed before other due timers run and before sockets are read', async () => {
  const ownStall = ownStallOf(systemClock);
  stop = ownStall.watch();
  const began = systemClock.now();
  // Due before the beat, and so runs before it when the loop resumes.
  const seen = new Promise<boolean>((resolve) =>
    setTimeout(() => resolve(ownStall.wasStalledSince(began)), BEAT_MS / 2),
  );
  const end = performance.now() + 2 * (BEAT_MS + STALL_MS);
  while (performance.now() < end);
  expect(await seen).toBe(true);
  expect(ownStall.endedAt).toBeGreaterThan(began);
});

test('all clients share it', () => {
  expect(ownStallOf(systemClock)).toBe(ownStallOf(systemClock));
});
