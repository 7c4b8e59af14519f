import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { startBackends } from '../backend.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import { recovery } from '../recovery.js';
import type { Scenario } from '../scenario.js';

const BACKENDS = 5;
const SLOTS = 3;
/** Three times as much is still less than callers wait. */
const DELAY_MS = 100;
/** Calls a second: three slots of 100 ms each bear 30. */
const CAPACITY = (BACKENDS * SLOTS * 1000) / DELAY_MS;
const LOAD = 0.7;
const TRIGGER_S = 10;
/** A third of the capacity. */
const SLOWNESS = 3;
const AFTER_S = 30;
/** Callers give up after this, and try again. */
const PATIENCE_MS = 400;
const ATTEMPTS = 3;
const BOUND_S = 5;

/** Requests on the wire for each call, while the trigger lasts and after it. */
function attempts({ recording: { calls, requests }, course: { faults } }: Outcome): number {
  const { from } = faults[0]!;
  const since = ({ at }: { readonly at: number }): boolean => at >= from;
  return requests.filter(since).length / calls.filter(since).length;
}

function failedAfter({ recording: { calls }, course: { faults } }: Outcome): number {
  const { to } = faults[0]!;
  const after = calls.filter(({ at }) => at >= to);
  return after.filter(({ code }) => code !== status.OK).length / after.length;
}

/** A trigger that is over, and retries that keep the backends busy with calls whose callers have given up. */
export const metastable: Scenario = {
  name: 'metastable',
  callMs: DELAY_MS,
  title: `a third of the capacity for ${TRIGGER_S} s, under retries`,
  passes: [
    {
      label: '@Throttle() and retries of its own; the callers of round_robin retry by themselves',
      loadBalancing: { throttle: {}, retry: { maxAttempts: ATTEMPTS, attemptTimeout: PATIENCE_MS } },
      peerRepeats: { attempts: ATTEMPTS, timeout: PATIENCE_MS },
      bound: `recovers less than ${BOUND_S} s after the trigger`,
      judge: (outcome) => (recovery(outcome) < BOUND_S ? [] : [`recovered after ${recovery(outcome)} s`]),
    },
  ],
  prepare: async () => ({ backends: await startBackends(BACKENDS) }),
  async run({ backends, client }) {
    const set = (delayMs: number): Promise<unknown> =>
      Promise.all(backends.map((backend) => backend.set({ slots: SLOTS, delay: delayMs })));
    client.setRate(CAPACITY * LOAD);
    await set(DELAY_MS);
    await delay(4000);
    const from = now();
    await set(DELAY_MS * SLOWNESS);
    await delay(TRIGGER_S * 1000);
    await set(DELAY_MS);
    const to = now();
    await delay(AFTER_S * 1000);
    return { faults: backends.map(({ address }) => ({ victim: address, from, to })), window: [from, now()] };
  },
  remark: (outcome) =>
    `recovered ${recovery(outcome) >= AFTER_S ? `not within ${AFTER_S}` : recovery(outcome)} s after the trigger; ` +
    `${Math.round(failedAfter(outcome) * 100)} % of the calls after it failed; ${attempts(outcome).toFixed(2)} attempts for each call`,
};
