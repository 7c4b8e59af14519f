import { LIMITS } from '../clients/call-model.js';
import type { Scenario } from '../scenario.js';
import { withCalls } from '../subjects.js';
import { SECOND, USUAL } from './common.js';

const FIVE = { servers: 5, slots: 8, capacity: 40 } as const;
const codes = new Set([4, 8, 14]);
const T = (window: number, multiplier = 2) => ({ multiplier, window, rejectionCodes: codes });
const STOCK = { deadline: SECOND, attemptTimeout: 400, retry: { maxAttempts: 3 } };
const OURS = { ...STOCK, ...LIMITS };
const SUBJECTS = [
  withCalls('no retries', { deadline: SECOND }),
  withCalls('stock', STOCK),
  withCalls('ours', OURS),
  withCalls('throttle', { ...OURS, throttle: T(120_000) }),
];

export const excess: Scenario = {
  ...FIVE,
  name: 'excess',
  title: 'Two and four times what all can bear',
  explains: 'A. B.',
  workload: { duration: 40 * SECOND, methods: USUAL },
  loads: [2, 4],
  clients: [1, 10, 100],
  window: [10 * SECOND, 40 * SECOND],
  subjects: SUBJECTS,
  timeline: 'failures',
  byFailures: true,
};

export const metastable: Scenario = {
  ...FIVE,
  name: 'metastable',
  title: 'Ten seconds of one third of the capacity',
  explains: 'A. B.',
  workload: { duration: 60 * SECOND, methods: USUAL },
  loads: [0.7],
  clients: [1, 10, 100],
  subjects: SUBJECTS,
  script: ({ servers, at }) => {
    at(10 * SECOND, () => servers.forEach((s) => (s.slowness = 3)));
    at(20 * SECOND, () => servers.forEach((s) => (s.slowness = 1)));
  },
  timeline: 'failures',
  byFailures: true,
};
