import { type CallModel, LIMITS } from '../clients/call-model.js';
import { constant } from '../engine/distributions.js';
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
const SHEDDING = { maxEventLoopDelay: 20, maxConcurrent: 16, trustCriticality: true } as const;

const MECHANISMS: readonly Subject[] = [
  limited('no retries', { calls: { deadline: SECOND } }),
  limited('retries', { calls: RETRIES }),
  limited('retry budget', { calls: { ...RETRIES, ...LIMITS } }),
  limited('throttle', { calls: { ...RETRIES, ...THROTTLE } }),
  limited('shedding', { calls: { ...RETRIES, ...LIMITS }, shedding: SHEDDING }),
  limited('throttle, shedding', { calls: { ...RETRIES, ...THROTTLE }, shedding: SHEDDING }),
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

const STORM = [10, 15] as const;

export const retryStorm: Scenario = {
  ...FIVE,
  name: 'retry_storm',
  title: 'A retry storm, with and without each limit',
  explains:
    'At 80 % load all backends are half as fast from the 10th to the 15th second; callers give up an attempt after 400 ms and a call after a second, and make up to three attempts. The load that the backends see is the calls times the attempts for each: "retries" has no limit, "throttling" that of gRFC A6, "budget" that of 20 % and ten a second, "retry budget" has both as by default, and "shedding" has backends that refuse what exceeds twice the calls that they work on.',
  workload: { duration: 40 * SECOND, methods: USUAL },
  loads: [0.8],
  subjects: [
    limited('no retries', { calls: { deadline: SECOND } }),
    limited('retries', { calls: RETRIES }),
    limited('throttling', { calls: { ...RETRIES, throttling: LIMITS.throttling } }),
    limited('budget', { calls: { ...RETRIES, budget: LIMITS.budget } }),
    limited('retry budget', { calls: { ...RETRIES, ...LIMITS } }),
    limited('throttle', { calls: { ...RETRIES, ...THROTTLE } }),
    limited('shedding', { calls: { ...RETRIES, ...LIMITS }, shedding: SHEDDING }),
  ],
  script: ({ servers, at }) => {
    const all = (slowness: number): void => {
      for (const server of servers) server.slowness = slowness;
    };
    at(STORM[0] * SECOND, () => all(2));
    at(STORM[1] * SECOND, () => all(1));
  },
  timeline: 'attempts',
  byFailures: true,
};

/** As by default. */
const AUTO = { maxEventLoopDelay: 20, maxConcurrent: 'auto', trustCriticality: true } as const;
const CRITICAL_SHARE = 0.15;

export const shedding: Scenario = {
  name: 'shedding',
  title: 'Node backends that shed load',
  explains:
    'Five backends with one event loop each, which a call blocks for 20 ms; of the calls 15 % are `critical`, so that they need 45 % of what the backends can do when three times as much is asked for, and the others are `sheddable_plus` and `sheddable` in equal parts. The backends of "shedding" run the code of the server side with its defaults; callers give up after a second and have no retry policy.',
  servers: 5,
  slots: 'turns',
  capacity: 5,
  workload: {
    duration: 40 * SECOND,
    methods: [
      { name: 'Pay', share: CRITICAL_SHARE, criticality: 'critical', work: constant(20) },
      { name: 'Batch', share: (1 - CRITICAL_SHARE) / 2, criticality: 'sheddable_plus', work: constant(20) },
      { name: 'Prefetch', share: (1 - CRITICAL_SHARE) / 2, criticality: 'sheddable', work: constant(20) },
    ],
  },
  loads: [0.7, 1, 2, 3],
  window: [10 * SECOND, 40 * SECOND],
  subjects: [
    limited('nothing', { calls: { deadline: SECOND } }),
    limited('shedding', { calls: { deadline: SECOND }, shedding: AUTO }),
    limited('throttle', { calls: { deadline: SECOND, ...THROTTLE } }),
    limited('throttle, shedding', { calls: { deadline: SECOND, ...THROTTLE }, shedding: AUTO }),
  ],
  byFailures: true,
  byMethod: true,
};
