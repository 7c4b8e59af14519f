import { constant, either, exponential, lognormal } from '../engine/distributions.js';
import type { Scenario } from '../scenario.js';
import { SECOND, TEN, unary, USUAL } from './common.js';

export const equal: Scenario = {
  ...TEN,
  name: 'equal',
  title: 'Equal backends',
  explains:
    'Ten backends of the same speed, and calls of about the same kind: the easy case. Even here it pays to look before sending, since chance alone makes lines at some backends while others idle, and the more clients there are the less each of them sees of that.',
  workload: { duration: 30 * SECOND, methods: USUAL },
};

export const heavyTail: Scenario = {
  ...TEN,
  name: 'heavy_tail',
  title: 'Heavy-tailed work',
  explains:
    'Most calls are short, and a few take ten times the mean and more (lognormal, sigma 1.5), as where some customers have a thousand orders. A backend with one such call is not slow, and a policy that takes its last latency for its speed shuns it without reason.',
  workload: { duration: 30 * SECOND, methods: unary(lognormal(20, 1.5)) },
};

export const bimodal: Scenario = {
  ...TEN,
  name: 'bimodal',
  title: 'Short and long calls of one method',
  explains:
    'Nine of ten calls take 10 ms and the tenth takes 110 ms, as with a cache that hits or misses, and no client can tell in advance. Calls must not queue behind the long ones, which only the number of calls in flight reveals.',
  workload: { duration: 30 * SECOND, methods: unary(either(0.1, constant(110), constant(10))) },
};

export const methods: Scenario = {
  ...TEN,
  name: 'methods',
  title: 'A cheap and a heavy method',
  explains:
    'Nine of ten calls are of a method that takes 5 ms on average, and the tenth is of one that takes 100 ms. A policy that throws their latencies together takes a backend for slow that happened to get the heavy ones; it must compare each method with itself.',
  workload: {
    duration: 30 * SECOND,
    methods: [
      { name: 'Find', share: 0.9, work: exponential(5) },
      { name: 'Report', share: 0.1, work: exponential(100) },
    ],
  },
};

export const streams: Scenario = {
  ...TEN,
  name: 'streams',
  title: 'Streams beside calls with one answer',
  explains:
    'One call in two hundred is a stream that stays open for 10 s on average and brings a message of 10 ms work five times a second. An open stream counts as a call in flight but is far less load than one, so that counting alone misjudges a backend with many of them; the figures are those of the calls with one answer.',
  workload: {
    duration: 30 * SECOND,
    methods: [
      { name: 'Find', share: 0.995, work: exponential(20) },
      {
        name: 'Watch',
        share: 0.005,
        work: exponential(10),
        stream: { lasts: exponential(10 * SECOND), every: exponential(200) },
      },
    ],
  },
};

export const bursts: Scenario = {
  ...TEN,
  name: 'bursts',
  title: 'Bursts that hit all clients at once',
  explains:
    'Half of all calls come a hundred at a time within 5 ms, from all clients together, as when a cache runs out or a cron job fires. In a burst no call has been answered yet, so only calls that are counted when they are picked can spread it, and each client sees only its own.',
  workload: { duration: 30 * SECOND, methods: USUAL, bursts: { share: 0.5, size: 100, within: 5 } },
};
