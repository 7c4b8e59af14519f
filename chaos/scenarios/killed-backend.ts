import { setTimeout as delay } from 'node:timers/promises';
import { startBackends } from '../backend.js';
import { all, failedAtMost, failedOnlyThere, outAtOnce } from '../bounds.js';
import { now } from '../clock.js';
import type { Scenario } from '../scenario.js';

export const killedBackend: Scenario = {
  name: 'killed-backend',
  title: 'kill -9 of one backend',
  passes: [
    {
      label: 'without retry',
      bound: 'only calls in flight there; out at once',
      judge: all(failedOnlyThere, outAtOnce),
    },
    {
      label: 'with retry',
      retry: true,
      bound: 'none failed; out at once',
      judge: all(failedAtMost(0), outAtOnce),
    },
  ],
  prepare: async () => ({ backends: await startBackends(5) }),
  async run({ backends: [victim] }) {
    const from = now();
    await victim!.end();
    const gone = now();
    await delay(6000);
    return { faults: [{ victim: victim!.address, from, gone, to: now() }] };
  },
};
