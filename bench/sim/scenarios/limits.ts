import { LIMITS } from '../clients/call-model.js';
import { constant, exponential } from '../engine/distributions.js';
import type { Scenario } from '../scenario.js';
import { SECOND, TEN, USUAL } from './common.js';

export const node: Scenario = {
  name: 'node',
  title: 'Node backends',
  explains:
    'Six backends with one event loop each: a call computes for 1 ms on average, waits 20 ms for a database, and computes for 1 ms again. Calls in flight are mostly those that wait and cost nothing, so that they say little about who is busy; how late the event loop is says it, and backends with the server side report that in their trailers.',
  servers: 6,
  slots: 'event-loop',
  capacity: 6,
  workload: {
    duration: 30 * SECOND,
    methods: [{ name: 'Find', share: 1, work: exponential(2), io: constant(20) }],
  },
};

export const oneSlot: Scenario = {
  name: 'one_slot',
  title: 'Backends that do one call at a time',
  explains:
    'Ten backends with a single slot each, as workers that render or convert. There is no room for a second call beside the first, so that every choice that another client has just made too means waiting for a whole call.',
  servers: 10,
  slots: 1,
  capacity: 10,
  workload: { duration: 100 * SECOND, methods: USUAL },
};

const STORM = {
  ...TEN,
  workload: { duration: 40 * SECOND, methods: USUAL },
  loads: [0.7],
  clients: [10, 100],
  window: [10 * SECOND, 40 * SECOND],
  script: ({ servers, at }) => {
    const all = (slowness: number): void => {
      for (const server of servers) server.slowness = slowness;
    };
    at(10 * SECOND, () => all(4));
    at(13 * SECOND, () => all(1));
  },
  timeline: 'failures',
  byFailures: true,
} satisfies Partial<Scenario>;

const RETRY = { retry: { maxAttempts: 3 }, attemptTimeout: 400 };

export const retries: Scenario = {
  ...STORM,
  name: 'retries',
  title: 'Retries that amplify',
  explains:
    'All backends are four times slower from the 10th to the 13th second, callers give up after 400 ms and try again up to twice, and backends finish calls that were given up. The retries keep them overloaded long after the cause has gone, and no choice of backend helps, because all are overloaded.',
  calls: RETRY,
};

export const retriesBudget: Scenario = {
  ...STORM,
  name: 'retries_budget',
  title: 'The same with a retry budget',
  explains:
    'Retries stop while more than a few calls in a hundred fail (the throttling of gRFC A6, on by default in this package). The load falls back to what callers ask for, and the backends work off their lines.',
  calls: { ...RETRY, throttling: LIMITS.throttling },
};
