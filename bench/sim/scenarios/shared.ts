import type { Scenario } from '../scenario.js';
import { SECOND, USUAL } from './common.js';

/** Five backends that each work on eight calls at a time. */
const FIVE = { servers: 5, slots: 8, capacity: 40, clients: [1, 10] } as const;

export const sharedFailures: Scenario = {
  ...FIVE,
  name: 'shared_failures',
  title: 'All of five fail half of their calls',
  explains:
    'A database behind all backends fails from the 10th to the 20th second, and with it half of all calls at once, whichever backend gets them; the figures cover that time and 12 s after. No backend is worse than another, so none may be ejected, and the calls must stay spread evenly.',
  workload: { duration: 32 * SECOND, methods: USUAL },
  loads: [0.3, 0.7],
  window: [10 * SECOND, 32 * SECOND],
  script: ({ servers, at }) => {
    const all = (share: number): void => {
      for (const server of servers) server.failing = share;
    };
    at(10 * SECOND, () => all(0.5));
    at(20 * SECOND, () => all(0));
  },
  timeline: 'failures',
  byFailures: true,
};

export const overload: Scenario = {
  ...FIVE,
  name: 'overload',
  title: 'Twice what all can bear, then half',
  explains:
    'Callers give up after 1 s, backends finish calls that were given up, and from the 10th to the 30th second twice as many calls arrive as five backends can serve, then half as many. By then each queue is 20 s long; a client that blames single backends for timeouts floods those whose queue is empty first.',
  workload: {
    duration: 90 * SECOND,
    methods: USUAL,
    pace: (at) => (at >= 10 * SECOND && at < 30 * SECOND ? 4 : 1),
  },
  loads: [0.5],
  window: [10 * SECOND, 90 * SECOND],
  calls: { deadline: SECOND },
  timeline: 'failures',
  byFailures: true,
};
