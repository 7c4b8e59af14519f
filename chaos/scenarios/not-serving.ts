import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { startBackends } from '../backend.js';
import { all, comesBack, failedAtMost, outWithin } from '../bounds.js';
import type { Scenario } from '../scenario.js';

/** It says so, and from 100 ms later on it means it: every call fails until it serves again. */
export const notServing: Scenario = {
  name: 'not-serving',
  title: 'NOT_SERVING on one backend (which fails every call from 100 ms later on), then SERVING',
  passes: [
    {
      label: 'without retry',
      bound: 'none failed; out in < 100 ms; comes back',
      judge: all(failedAtMost(0), outWithin(100), comesBack),
    },
  ],
  prepare: async () => ({ backends: await startBackends(5) }),
  async run({ backends: [victim] }) {
    const from = await victim!.set({ health: 'NOT_SERVING' });
    await delay(100);
    await victim!.set({ failWith: status.UNAVAILABLE });
    await delay(3000);
    const to = await victim!.set({ health: 'SERVING', failWith: null });
    await delay(4000);
    return { faults: [{ victim: victim!.address, from, to }] };
  },
};
