import { type CallModel, LIMITS } from '../clients/call-model.js';
import type { Scenario } from '../scenario.js';
import { limited, type Subject } from '../subjects.js';
import { SECOND, USUAL } from './common.js';

const FIVE = { servers: 5, slots: 8, capacity: 40, clients: [1, 10, 100] } as const;

/** Callers that give up after 400 ms and try again up to twice, within a second. */
const RETRIES: CallModel = { deadline: SECOND, attemptTimeout: 400, retry: { maxAttempts: 3 } };
const THROTTLE: CallModel = {
  ...LIMITS,
  // As by default: UNAVAILABLE, RESOURCE_EXHAUSTED and DEADLINE_EXCEEDED.
  throttle: { multiplier: 2, window: 120 * SECOND, rejectionCodes: new Set([14, 8, 4]) },
};
/** Twice the calls that a backend works on at a time. */
const SHEDS_BEYOND = 16;

const MECHANISMS: readonly Subject[] = [
  limited('no retries', { calls: { deadline: SECOND } }),
  limited('retries', { calls: RETRIES }),
  limited('retry budget', { calls: { ...RETRIES, ...LIMITS } }),
  limited('throttle', { calls: { ...RETRIES, ...THROTTLE } }),
  limited('shedding', { calls: { ...RETRIES, ...LIMITS }, shedsBeyond: SHEDS_BEYOND }),
  limited('throttle, shedding', { calls: { ...RETRIES, ...THROTTLE }, shedsBeyond: SHEDS_BEYOND }),
];

export const excess: Scenario = {
  ...FIVE,
  name: 'excess',
  title: 'Two and four times what all can bear, with and without each mechanism',
  explains:
    'Callers give up after 400 ms and try again up to twice, backends finish what was given up, and for 30 s far more calls arrive than five backends can serve; the figures are those from the 10th second on, all with `least_request`. The subject "retries" has no limits, as stock clients; "retry budget" has those that are on by default; "throttle" adds `@Throttle()`, and "shedding" backends that refuse at once what exceeds twice the calls that they work on.',
  workload: { duration: 30 * SECOND, methods: USUAL },
  loads: [2, 4],
  clients: [10, 100],
  window: [10 * SECOND, 30 * SECOND],
  subjects: MECHANISMS,
  timeline: 'failures',
  byFailures: true,
};

const TRIGGER = [10, 20] as const;

export const metastable: Scenario = {
  ...FIVE,
  name: 'metastable',
  title: 'Ten seconds of a third of the capacity, with and without each mechanism',
  explains:
    'At 70 % load all backends are three times slower from the 10th to the 20th second, and callers retry as above. The trigger is gone after ten seconds, but retries without limits keep the backends overloaded for ever: they work on what nobody waits for any more.',
  workload: { duration: 60 * SECOND, methods: USUAL },
  loads: [0.7],
  subjects: MECHANISMS,
  script: ({ servers, at }) => {
    const all = (slowness: number): void => {
      for (const server of servers) server.slowness = slowness;
    };
    at(TRIGGER[0] * SECOND, () => all(3));
    at(TRIGGER[1] * SECOND, () => all(1));
  },
  timeline: 'failures',
  triggerEnds: TRIGGER[1],
  byFailures: true,
};
