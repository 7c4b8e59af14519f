import type { Scenario } from '../scenario.js';
import type { World } from '../world.js';
import { SECOND, TEN, USUAL } from './common.js';

export const fastFailure: Scenario = {
  ...TEN,
  name: 'fast_failure',
  title: 'One of ten fails every call at once',
  explains:
    'A backend that has lost its database answers each call with an error after no time at all, from the 20th to the 40th second; the figures are those of these 20 s, without retries. It never has a call in flight and its answers are the fastest, so that a policy that looks at load alone sends it everything.',
  workload: { duration: 45 * SECOND, methods: USUAL },
  window: [20 * SECOND, 40 * SECOND],
  script: ({ servers, at }) => {
    at(20 * SECOND, () => (servers[0]!.failing = 1));
    at(40 * SECOND, () => (servers[0]!.failing = 0));
  },
  timeline: 'failures',
};

export const fastFailureReported: Scenario = {
  ...fastFailure,
  name: 'fast_failure_reported',
  title: 'One of ten fails every call at once, and says so',
  explains:
    'The same, but the backends have the server side of this package: the trailers of failed calls say that all calls of late have failed, of all clients, so that one failure is enough for each client. When an ejection ends, a client asks the backend whether the calls of others succeed, and only one in several seconds has to try.',
  script: (world) => {
    for (const server of world.servers) server.reportsFailures = true;
    fastFailure.script!(world);
  },
};

export const errors: Scenario = {
  ...TEN,
  name: 'errors',
  title: 'One call in twenty fails, wherever it goes',
  explains:
    'Two of ten backends are three times slower, and 5 % of all calls fail at once for a reason that no backend can help, such as a dependency that all share. Failures that say nothing about a backend must not make a policy shun it, nor the ejection of outliers take away backends that are needed.',
  workload: { duration: 45 * SECOND, methods: USUAL, errors: 0.05 },
  capacity: 8 * 8 + (2 * 8) / 3,
  script: ({ servers }) => {
    for (const server of servers.slice(0, 2)) server.slowness = 3;
  },
};

const JOINS = 10 * SECOND;

/** Ten times slower at first, and half of that every two seconds, as code gets compiled and caches fill. */
function newcomer({ add, at }: World): void {
  at(JOINS, () => {
    for (const server of add(1)) {
      for (let age = 0; age < 8 * SECOND; age += 250) {
        at(JOINS + age, () => (server.slowness = Math.max(1, 10 * 2 ** (-age / (2 * SECOND)))));
      }
      at(JOINS + 8 * SECOND, () => (server.slowness = 1));
    }
  });
}

const COLD = {
  ...TEN,
  workload: { duration: 30 * SECOND, methods: USUAL },
  window: [JOINS, JOINS + 10 * SECOND],
  script: newcomer,
  timeline: { shareFrom: 10 },
} as const;

export const coldStart: Scenario = {
  ...COLD,
  name: 'cold_start',
  title: 'A new backend that is slow at first, with slow start',
  explains:
    'An eleventh backend joins at the 10th second, ten times slower at first and at full speed 7 s later; the figures are those of its first 10 s. Slow start lets it have a growing part of the calls, so that few pay for its warming up.',
};

export const coldStartPlain: Scenario = {
  ...COLD,
  name: 'cold_start_plain',
  title: 'The same without slow start',
  explains:
    'The newcomer gets its full share from the first moment. An idle backend without history looks like the best one to every policy that counts, and all clients find it at the same time.',
  balancing: { slowStart: { enabled: false } },
};

export const scale: Scenario = {
  ...TEN,
  name: 'scale',
  title: 'Scale up by half, and down again',
  explains:
    'Five backends join ten at the 15th second, and five of the first ten leave at the 35th, finishing what they have begun; a change reaches each client within a second. Nothing may fail, the new ones must get their share without a surge, and those that stay must not be flooded.',
  workload: { duration: 50 * SECOND, methods: USUAL },
  script: ({ add, at, remove, servers }) => {
    at(15 * SECOND, () => add(5));
    at(35 * SECOND, () => remove(servers.slice(0, 5)));
  },
  timeline: { shareFrom: 10 },
};
