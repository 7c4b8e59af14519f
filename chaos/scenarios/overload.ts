import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { startBackends } from '../backend.js';
import { busiest } from '../bounds.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import { LEARNING } from './learning.js';

const BACKENDS = 5;
/** Two slots of 40 ms each bear 50 calls a second. */
const KNOBS = { slots: 2, delay: 40 };
const CAPACITY = BACKENDS * 50;
const SECONDS = 20;
/** What one backend may have more than its even share of the calls, and so of the queue. */
const MOST = 1.3;
/** Seconds by which the queues of two sets of backends differ by chance. */
const CHANCE = 4;

/** Seconds from the end of the overload to the last second in which more than one call in twenty failed. */
function recovery({ recording: { calls }, course }: Outcome): number {
  const end = course.faults[0]!.to;
  let last = 0;
  for (let second = 0; second < 60; second++) {
    const made = calls.filter(({ at }) => at >= end + second * 1000 && at < end + (second + 1) * 1000);
    const failed = made.filter(({ code }) => code !== status.OK);
    if (failed.length > made.length / 20) last = second + 1;
  }
  return last;
}

const spread = (outcome: Outcome): number => {
  const { from, to } = outcome.course.faults[0]!;
  return busiest(outcome, BACKENDS, from, to);
};

export const overload: Scenario = {
  name: 'overload',
  title: 'twice what five backends of two slots bear for 20 s, then half',
  passes: LEARNING.map((policy) => ({
    label: policy,
    loadBalancing: { policy },
    bound: `recovers no later than round_robin (${CHANCE} s are chance); the busiest has at most ${MOST} times the mean`,
    judge: (outcome, peer) => [
      ...(recovery(outcome) <= recovery(peer) + CHANCE ? [] : [`recovered after ${recovery(outcome)} s`]),
      ...(spread(outcome) <= MOST ? [] : [`the busiest has ${spread(outcome).toFixed(2)} times the mean`]),
    ],
  })),
  async prepare() {
    const backends = await startBackends(BACKENDS);
    return { backends };
  },
  async run({ backends, client }) {
    client.setRate(CAPACITY / 2);
    await Promise.all(backends.map((backend) => backend.set(KNOBS)));
    await delay(2000);
    const from = now();
    client.setRate(CAPACITY * 2);
    await delay(SECONDS * 1000);
    client.setRate(CAPACITY / 2);
    const to = now();
    await delay(55_000);
    return { faults: backends.map(({ address }) => ({ victim: address, from, to })), window: [from, now()] };
  },
  remark: (outcome) =>
    `recovered ${recovery(outcome)} s after the overload; the busiest got ${spread(outcome).toFixed(2)} times the mean`,
};
