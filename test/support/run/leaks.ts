import { afterAll, beforeAll } from 'vitest';
import { type LeakCheck, trackLeaks } from '../../../libs/grpc-lb/src/testing/leaks.js';

/** How long it waits for what is being closed, in milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * Fails a test file that leaves something open: call it once, at the top of the file. It is `trackLeaks` over all tests
 * of the file. Its check runs after the file's own `afterAll` hooks (they run last in, first out), and waits for closings
 * that are under way, since a socket needs a few turns of the event loop to go.
 */
export function expectNoLeaks(): void {
  let leaks: LeakCheck;
  beforeAll(() => {
    leaks = trackLeaks();
  });
  afterAll(() => leaks.expectNone(PATIENCE_MS));
}
