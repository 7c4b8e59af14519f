import { setTimeout as delay } from 'node:timers/promises';
import { startBackends } from '../backend.js';
import { all, failedAtMost, outBeforePortCloses } from '../bounds.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import type { Fault } from '../course.js';
import type { Scenario } from '../scenario.js';

/** How long is looked on when the last one is back. */
const SETTLE_MS = 3000;

/** The largest part of the calls that one backend got in any second since the first one left, in percent. */
function largestShare({ course, recording: { requests } }: Outcome): number {
  const from = course.faults[0]!.from;
  const to = course.faults.at(-1)!.to + SETTLE_MS;
  const shares: number[] = [];
  for (let second = from; second + 1000 <= to; second += 1000) {
    const sent = requests.filter(({ at }) => at >= second && at < second + 1000);
    for (const { victim } of course.faults) {
      shares.push((100 * sent.filter((request) => request.to === victim).length) / sent.length);
    }
  }
  return Math.round(Math.max(...shares));
}

/**
 * The next one goes as soon as the new process of the one before listens: quicker than an orchestrator, which waits for a
 * probe.
 */
export const rollingRestart: Scenario = {
  name: 'rolling-restart',
  title: 'SIGTERM rolling restart of all five, one after the other',
  passes: [
    {
      label: 'without retry',
      bound: 'none failed; out before its port closes',
      judge: all(failedAtMost(0), outBeforePortCloses),
    },
  ],
  prepare: async () => ({ backends: await startBackends(5) }),
  async run({ backends }) {
    const faults: Fault[] = [];
    for (const backend of backends) {
      const { draining, closing } = await backend.terminate();
      await backend.start();
      faults.push({ victim: backend.address, from: draining, closing, to: now() });
    }
    await delay(SETTLE_MS);
    return { faults };
  },
  remark: (outcome) => `at most ${largestShare(outcome)} % of the calls of one second went to one backend`,
};
