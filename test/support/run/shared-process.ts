import { resetConfigureGlobal } from 'fast-check';
import { createRequire } from 'node:module';
import { afterAll, expect, vi } from 'vitest';

/**
 * Runs before each file of unit tests, which share processes: each file gets its own copy of the library, as in a new
 * process, and fails if it leaves the process changed for the next. If it has to, add it to `shared-files.ts`.
 */
vi.resetModules();
resetConfigureGlobal();
// What all copies of the library in a process share.
for (const key of Object.getOwnPropertySymbols(globalThis))
  if (key.description?.startsWith('nestjs-grpc-lb.')) Reflect.deleteProperty(globalThis, key);

const EVENTS = ['exit', 'warning', 'unhandledRejection', 'uncaughtException', 'SIGINT', 'SIGTERM'];

const require = createRequire(import.meta.url);
const POLICIES = require.resolve('@grpc/grpc-js/build/src/load-balancer.js');

/** grpc-js refuses the policy of a second copy of the library. */
function isRegistered(): boolean {
  const policies = require.cache[POLICIES]?.exports as
    | { isLoadBalancerNameRegistered(name: string): boolean }
    | undefined;
  return policies?.isLoadBalancerNameRegistered('grpc_lb') ?? false;
}

const state = () => ({
  environment: { ...process.env },
  folder: process.cwd(),
  program: process.argv[1],
  listeners: EVENTS.map((event) => `${event}: ${process.listenerCount(event)}`),
  'fake timers': vi.isFakeTimers(),
  'registered with grpc-js': isRegistered(),
});

const before = state();

afterAll(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  expect(state(), 'this file changes its process; add it to test/support/run/shared-files.ts').toEqual(before);
});
