import { setTimeout as delay } from 'node:timers/promises';
import { Backend, startBackends, HEALTHY } from '../backend.js';
import { all, failedAtMost } from '../bounds.js';
import { now } from '../clock.js';
import { latency, type Outcome } from '../outcome.js';
import type { Fault } from '../course.js';
import type { Scenario } from '../scenario.js';

/** How long the newcomer is slow, and by how much. */
const SLOW_MS = 5000;
const SLOW_FACTOR = 5;
/** From its joining: the window of the slow start, and a while in which it could surge. */
const WINDOW_MS = 12_000;
const BEFORE_MS = 5000;

const noWorse = ({ before, during }: Outcome): string[] =>
  during.p99 <= 1.3 * before.p99 ? [] : [`p99 is ${(during.p99 / before.p99).toFixed(2)} times the one before`];

/** The newcomer's part of the calls in each second after it joined, in percent. */
function shares({ course, recording: { requests } }: Outcome): number[] {
  const { victim, from } = course.faults[0]!;
  return Array.from({ length: WINDOW_MS / 1000 }, (_, second) => {
    const sent = requests.filter(({ at }) => at >= from + second * 1000 && at < from + (second + 1) * 1000);
    return Math.round((100 * sent.filter(({ to }) => to === victim).length) / sent.length);
  });
}

export const newPod: Scenario = {
  name: 'new-pod',
  title: 'one new backend beside three, five times slower in its first 5 s',
  passes: [
    {
      label: 'without retry',
      bound: 'none failed; p99 at most 1.3 times the one before',
      judge: all(failedAtMost(0), noWorse),
    },
  ],
  async prepare() {
    const slow = { delay: HEALTHY.delay * SLOW_FACTOR };
    const [three, newcomer] = await Promise.all([startBackends(3), new Backend({ knobs: slow }).start()]);
    return { backends: [newcomer, ...three], addresses: three.map(({ address }) => address) };
  },
  async run({ backends, client }) {
    await delay(BEFORE_MS);
    const newcomer = backends[0]!;
    const from = now();
    client.setEndpoints(backends.map(({ address }) => address));
    await delay(SLOW_MS);
    await newcomer.set({ delay: HEALTHY.delay });
    await delay(WINDOW_MS - SLOW_MS);
    const to = now();
    return { faults: [{ victim: newcomer.address, from, to, joins: true }], window: [from, to], before: BEFORE_MS };
  },
  remark(outcome) {
    const [{ from }] = outcome.course.faults as [Fault];
    const { p99 } = latency(outcome.recording.calls, from, from + SLOW_MS);
    return `its part of the calls, second by second: ${shares(outcome).join(', ')} %; p99 while it was slow: ${p99.toFixed(0)} ms`;
  },
};
