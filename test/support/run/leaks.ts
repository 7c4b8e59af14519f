import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect } from 'vitest';

/** How many of each kind are open, as in `{ TCPServerWrap: 1 }`. */
export type OpenResources = Readonly<Record<string, number>>;

// Taken now: a test may put fake ones in their place later.
const nextTurn = promisify(setImmediate);
const now = performance.now.bind(performance);

/**
 * Fails a test file that leaves something open: call it once, at the top of the file. Its check then runs after the
 * file's own `afterAll` hooks (they run last in, first out), and waits for closings that are under way, since a socket
 * needs a few turns of the event loop to go.
 *
 * It sees what Node says keeps this process alive (`process.getActiveResourcesInfo()`): servers, sockets, timers, file
 * watchers, child processes, DNS requests. It compares counts by kind with those at the start of the file.
 *
 * It does not see what is unref'd, such as this package's own timers (`FakeClock.pendingTimers` counts those) or idle
 * sockets of an HTTP agent; what another process holds; which line of code opened it; and one leak for which another
 * thing of the same kind was closed meanwhile, if that had been open before the file's tests began.
 */
export function expectNoLeaks(): void {
  let before: OpenResources = {};
  beforeAll(() => {
    before = openResources();
  });
  afterAll(async () => {
    expect(await leaksSince(before), 'left open when the tests of this file had ended').toEqual({});
  });
}

export function openResources(): OpenResources {
  const open: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) open[kind] = (open[kind] ?? 0) + 1;
  return open;
}

/** What is open beyond `before`: empty as soon as nothing is, or else what is still there after `withinMs`. */
export async function leaksSince(before: OpenResources, withinMs = 30_000): Promise<OpenResources> {
  const deadline = now() + withinMs;
  for (;;) {
    const leaks = beyond(before);
    if (Object.keys(leaks).length === 0 || now() > deadline) return leaks;
    await nextTurn();
  }
}

function beyond(before: OpenResources): OpenResources {
  const more = Object.entries(openResources()).map(([kind, count]) => [kind, count - (before[kind] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count > 0));
}
