import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { startBackends } from '../backend.js';
import { busiest } from '../bounds.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import { LEARNING } from './learning.js';

const BACKENDS = 5;
const MOST = 1.3;
/**
 * Failures are drawn anew for each subject: 1,500 calls of which half fail differ by less than this, in four of five
 * deviations.
 */
const CHANCE = 160;

const spread = (outcome: Outcome): number => {
  const [from, to] = outcome.course.window!;
  return busiest(outcome, BACKENDS, from, to);
};

export const sharedFailures: Scenario = {
  name: 'shared-failures',
  title: 'all of five fail half of their calls for 5 s',
  passes: LEARNING.map((policy) => ({
    label: policy,
    loadBalancing: { policy },
    bound: `the busiest has at most ${MOST} times the mean, until 12 s after; none lost beside round_robin but by chance`,
    judge: (outcome, peer) => [
      ...(spread(outcome) <= MOST ? [] : [`the busiest has ${spread(outcome).toFixed(2)} times the mean`]),
      ...(outcome.failed.length <= peer.failed.length + CHANCE ? [] : [`${outcome.failed.length} calls failed`]),
    ],
  })),
  prepare: async () => ({ backends: await startBackends(BACKENDS) }),
  async run({ backends }) {
    const all = (failWith: status | null) =>
      Promise.all(backends.map((backend) => backend.set({ failWith, failShare: 0.5 })));
    const from = Math.min(...(await all(status.UNKNOWN)));
    await delay(5000);
    await all(null);
    const to = now();
    await delay(12_000);
    return { faults: backends.map(({ address }) => ({ victim: address, from, to })), window: [from, now()] };
  },
  remark: (outcome) => `the busiest backend got ${spread(outcome).toFixed(2)} times the mean`,
};
