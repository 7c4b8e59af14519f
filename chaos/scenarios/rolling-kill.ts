import { setTimeout as delay } from 'node:timers/promises';
import type { PolicyName } from '../../libs/grpc-lb/src/core/options/policy-config.js';
import { startBackends } from '../backend.js';
import { all, failedOnlyThere } from '../bounds.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import type { Fault, Pass, Scenario } from '../scenario.js';

const INTERVAL_MS = 2000;
/** From the return of the last one: the window of the slow start, and a while in which calls could surge. */
const SETTLE_MS = 12_000;
/** Long enough that chance moves a share of a fifth by a twentieth of itself. */
const WINDOW_MS = 5000;

/** How many times the mean of those that are up the busiest backend gets at most in any five seconds. */
function busiest({ course: { faults }, recording: { requests } }: Outcome): number {
  const ups = (at: number) => faults.filter(({ from, to }) => at < from || at >= to);
  const [first, last] = [faults[0]!.from, faults.at(-1)!.to + SETTLE_MS];
  let most = 0;
  for (let from = first; from + WINDOW_MS <= last; from += 1000) {
    const sent = requests.filter(({ at }) => at >= from && at < from + WINDOW_MS);
    for (const { victim } of faults) {
      const mean = sent.reduce((sum, { at }) => {
        const up = ups(at);
        return up.some((each) => each.victim === victim) ? sum + 1 / up.length : sum;
      }, 0);
      most = Math.max(most, sent.filter(({ to }) => to === victim).length / mean);
    }
  }
  return most;
}

const balanced = (outcome: Outcome): string[] => {
  const most = busiest(outcome);
  return most <= 1.5 ? [] : [`the busiest got ${most.toFixed(2)} times the mean`];
};

const pass = (policy: Exclude<PolicyName, 'ring_hash'>): Pass => ({
  label: policy,
  loadBalancing: { policy },
  bound: 'only calls in flight there failed; the busiest gets at most 1.5 times the mean',
  judge: all(failedOnlyThere, balanced),
});

/** So fast that few have their full share again: who is warm must not carry the calls of all. */
export const rollingKill: Scenario = {
  name: 'rolling-kill',
  title: 'kill -9 of all five, one each 2 s, and each is started again at once',
  passes: [
    pass('least_request'),
    pass('adaptive'),
    pass('peak_ewma'),
    pass('hot_cold'),
    pass('round_robin'),
    pass('random'),
  ],
  prepare: async () => ({ backends: await startBackends(5) }),
  async run({ backends }) {
    const start = now();
    const faults: Fault[] = [];
    for (const [i, backend] of backends.entries()) {
      await delay(Math.max(0, start + i * INTERVAL_MS - now()));
      const from = now();
      await backend.end();
      const gone = now();
      await backend.start();
      faults.push({ victim: backend.address, from, gone, to: now() });
    }
    await delay(SETTLE_MS);
    return { faults };
  },
  remark: (outcome) => `the busiest got ${busiest(outcome).toFixed(2)} times the mean in any five seconds at most`,
};
