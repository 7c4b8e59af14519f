import { setTimeout as delay } from 'node:timers/promises';
import { startBackends } from '../backend.js';
import { failedAtMost } from '../bounds.js';
import type { Scenario } from '../scenario.js';

/** Ten times what a call takes; three of them fit into its deadline. */
const ATTEMPT_TIMEOUT_MS = 200;

/** Its connection lives, and answers PINGs: only the calls show that it hangs. */
export const hungBackend: Scenario = {
  name: 'hung-backend',
  title: 'one backend accepts every call and never answers',
  passes: [
    {
      label: `with retry, and ${ATTEMPT_TIMEOUT_MS} ms for an attempt, which grpc-js does not have`,
      retry: true,
      loadBalancing: { retry: { attemptTimeout: ATTEMPT_TIMEOUT_MS } },
      bound: 'none failed',
      judge: failedAtMost(0),
    },
  ],
  prepare: async () => ({ backends: await startBackends(5) }),
  async run({ backends: [victim] }) {
    const from = await victim!.set({ hung: true });
    await delay(8000);
    const to = await victim!.set({ hung: false });
    // Longer than a first ejection.
    await delay(12_000);
    return { faults: [{ victim: victim!.address, from, to }] };
  },
  // Under an attempt timeout a busy machine fails calls, too.
  remark({ failed, course: { faults } }) {
    const { from, to } = faults[0]!;
    const [before, after] = [failed.filter(({ at }) => at < from - 1000), failed.filter(({ at }) => at > to)];
    return `of the failed calls ${before.length} were due more than a second before it hung, and ${after.length} after it`;
  },
};
