import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { startBackends } from '../backend.js';
import { busiest } from '../bounds.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import { recovery } from '../recovery.js';
import type { Pass, Scenario } from '../scenario.js';
import { LEARNING } from './learning.js';

const BACKENDS = 5;
/** Eight slots of 160 ms each bear 50 calls a second. */
const CALL_MS = 160;
const KNOBS = { slots: 8, delay: CALL_MS };
const CAPACITY = BACKENDS * 50;
const SECONDS = 20;
/** What one backend may have more than its even share of the calls, and so of the queue. */
const MOST = 1.3;
/** Seconds by which the queues of two sets of backends differ by chance. */
const CHANCE = 4;
/** Sends a backend no more than its slots take, and lets few wait: the rest is refused at once. */
const SHEDDING = { maxSize: 1, maxConcurrentStreams: KNOBS.slots, maxPending: 20 };
/** The part of what the backends bear that is answered in time when load is shed. */
const GOODPUT = 0.9;

const spread = (outcome: Outcome): number => {
  const { from, to } = outcome.course.faults[0]!;
  return busiest(outcome, BACKENDS, from, to);
};

/** The part of what the backends bear that was answered in time while the overload lasted. */
function goodput({ recording: { calls }, course }: Outcome): number {
  const { from, to } = course.faults[0]!;
  const answered = calls.filter(({ at, code }) => at >= from && at < to && code === status.OK);
  return answered.length / (CAPACITY * SECONDS);
}

const percent = (part: number): string => `${Math.round(part * 100)} %`;

const recoversWith = (outcome: Outcome, peer: Outcome): string[] =>
  recovery(outcome) <= recovery(peer) + CHANCE ? [] : [`recovered after ${recovery(outcome)} s`];

const evenly = (outcome: Outcome): string[] =>
  spread(outcome) <= MOST ? [] : [`the busiest has ${spread(outcome).toFixed(2)} times the mean`];

export const overload: Scenario = {
  name: 'overload',
  callMs: CALL_MS,
  title: 'twice what five backends of eight slots bear for 20 s, then half',
  passes: [
    ...LEARNING.map((policy): Pass => ({
      label: policy,
      loadBalancing: { policy },
      bound: `recovers no later than round_robin (${CHANCE} s are chance); the busiest has at most ${MOST} times the mean`,
      judge: (outcome, peer) => [...recoversWith(outcome, peer), ...evenly(outcome)],
    })),
    {
      label: 'least_request, with a pool that sheds load',
      loadBalancing: { policy: 'least_request', pool: SHEDDING },
      bound: `at least ${GOODPUT * 100} % of what the backends bear is answered in time; recovers no later than round_robin`,
      judge: (outcome, peer) => [
        ...(goodput(outcome) >= GOODPUT ? [] : [`a goodput of ${percent(goodput(outcome))}`]),
        ...recoversWith(outcome, peer),
        ...evenly(outcome),
      ],
    },
  ],
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
    `answered ${percent(goodput(outcome))} of what the backends bear; ` +
    `recovered ${recovery(outcome)} s after the overload; the busiest got ${spread(outcome).toFixed(2)} times the mean`,
};
