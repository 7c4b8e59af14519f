import { setTimeout as delay } from 'node:timers/promises';
import type { PolicyName } from '../../libs/grpc-lb/src/core/options/policy-config.js';
import { startBackends } from '../backend.js';
import { all, failedOnlyThere } from '../bounds.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import type { Fault } from '../course.js';
import type { Pass, Scenario } from '../scenario.js';

const INTERVAL_MS = 2000;
/** From the return of the last one: the window of the slow start, and a while in which calls could surge. */
const SETTLE_MS = 12_000;
/** Long enough that chance moves a share of a fifth by a twentieth of itself. */
const WINDOW_MS = 5000;
/** Calls that a share is taken of at least. */
const ENOUGH = 100;
/** The most calls a backend may get, as a multiple of the mean. */
const MOST = 1.5;
/** A process that starts for longer than a second is missed by the first two dials; the third comes after 2.6 s. */
const BACK_S = 3;

/** When each that was killed got its first call again; Infinity if it got none. */
const returns = ({ course: { faults }, recording: { requests } }: Outcome): Map<string, number> =>
  new Map(
    faults.map(({ victim, to }) => [
      victim,
      requests.find((sent) => sent.to === victim && sent.at >= to)?.at ?? Infinity,
    ]),
  );

/**
 * How many times the mean the busiest backend gets at most in any five seconds. The mean counts the backends that the
 * client has at that time: a killed one counts again from its first call, because a client that waits before it
 * connects again, as gRPC's do, has one fewer until then.
 */
function busiest(outcome: Outcome): number {
  const { faults } = outcome.course;
  const { requests } = outcome.recording;
  const returned = returns(outcome);
  const usable = (at: number) => faults.filter(({ victim, from }) => at < from || at >= returned.get(victim)!);
  const [first, last] = [faults[0]!.from, faults.at(-1)!.to + SETTLE_MS];
  let most = 0;
  for (let from = first; from + WINDOW_MS <= last; from += 1000) {
    const sent = requests.filter(({ at }) => at >= from && at < from + WINDOW_MS);
    for (const { victim } of faults) {
      const mean = sent.reduce((sum, { at }) => {
        const endpoints = usable(at);
        return endpoints.some((each) => each.victim === victim) ? sum + 1 / endpoints.length : sum;
      }, 0);
      // The share of one that was there for a moment only is chance.
      if (mean >= ENOUGH) most = Math.max(most, sent.filter(({ to }) => to === victim).length / mean);
    }
  }
  return most;
}

/** Seconds until the last of those that were killed got a call again, from when it listened. */
function back(outcome: Outcome): number {
  const returned = returns(outcome);
  return Math.max(...outcome.course.faults.map(({ victim, to }) => returned.get(victim)! - to)) / 1000;
}

const balanced = (outcome: Outcome): string[] => {
  const most = busiest(outcome);
  return most <= MOST ? [] : [`the busiest got ${most.toFixed(2)} times the mean`];
};

const allBack = (outcome: Outcome): string[] => {
  const seconds = back(outcome);
  return seconds <= BACK_S ? [] : [`one got its first call only after ${seconds.toFixed(1)} s`];
};

const pass = (policy: Exclude<PolicyName, 'ring_hash'>): Pass => ({
  label: policy,
  loadBalancing: { policy },
  bound: `only calls in flight there failed; the busiest gets at most ${MOST} times the mean; each is back within ${BACK_S} s`,
  judge: all(failedOnlyThere, balanced, allBack),
});

/** Restarts follow each other faster than slow start ends, so the few warm backends must not carry all calls. */
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
  remark: (outcome) =>
    `the busiest got ${busiest(outcome).toFixed(2)} times the mean in any five seconds at most; ` +
    `each was back after ${back(outcome).toFixed(1)} s at most`,
};
