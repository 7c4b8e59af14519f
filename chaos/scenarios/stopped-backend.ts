import { setTimeout as delay } from 'node:timers/promises';
import { startBackends } from '../backend.js';
import type { Scenario } from '../scenario.js';
import { silencePasses } from './silence.js';

export const stoppedBackend: Scenario = {
  name: 'stopped-backend',
  title: 'SIGSTOP of one backend, then SIGCONT',
  passes: silencePasses,
  prepare: async () => ({ backends: await startBackends(5) }),
  async run({ backends: [victim] }) {
    const from = victim!.stop();
    await delay(6000);
    const to = victim!.continue();
    // Longer than a first ejection.
    await delay(12_000);
    return { faults: [{ victim: victim!.address, from, to }] };
  },
};
