import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { startBackends } from '../backend.js';
import { all, failedAtMost, outWithin } from '../bounds.js';
import { now } from '../clock.js';
import type { Scenario } from '../scenario.js';

export const failingBackend: Scenario = {
  name: 'failing-backend',
  title: 'one backend fails every call at once',
  passes: [
    {
      label: 'without retry',
      bound: 'at most 10 failed; out in < 1 s',
      judge: all(failedAtMost(10), outWithin(1000)),
    },
    {
      label: 'with retry',
      retry: true,
      bound: 'none failed; out in < 1 s',
      judge: all(failedAtMost(0), outWithin(1000)),
    },
  ],
  prepare: async () => ({ backends: await startBackends(5) }),
  async run({ backends: [victim] }) {
    const from = await victim!.set({ failWith: status.UNAVAILABLE });
    await delay(8000);
    return { faults: [{ victim: victim!.address, from, to: now() }] };
  },
};
