import { LIMITS } from '../clients/call-model.js';
import { lognormal } from '../engine/distributions.js';
import type { Scenario } from '../scenario.js';
import { hedged, subjectOf } from '../subjects.js';
import { SECOND, TEN, unary, USUAL } from './common.js';

/** As in `npm run bench tail`. */
const WORK = unary(lognormal(20, 1));
const SLOW = 10;

export const hedge: Scenario = {
  name: 'hedge',
  title: 'One of eight is ten times slower, with and without hedging',
  explains:
    'A hedged call goes to a second backend when it takes longer than nearly all calls do, and its caller gets the answer that comes first; the backends finish both. A policy that counts alone still sends calls to the slow backend, so that hedging has much to win there, and one that learns latencies leaves it little.',
  alsoCompared: [hedged(subjectOf('least_request')), hedged(subjectOf('adaptive'))],
  servers: 8,
  slots: 4,
  capacity: 7 * 4 + 4 / SLOW,
  workload: { duration: 80 * SECOND, methods: WORK },
  window: [20 * SECOND, 80 * SECOND],
  script: ({ servers }) => {
    servers[0]!.slowness = SLOW;
  },
};

export const fullOutage: Scenario = {
  ...TEN,
  name: 'full_outage',
  title: 'All backends fail every call, and callers retry',
  explains:
    'From the 10th to the 30th second every backend answers UNAVAILABLE at once, and clients have the retries of production: three attempts, throttling, and a budget; the figures are those of these 20 s. Retries help nobody there, and must not add more than a tenth to the load.',
  workload: { duration: 40 * SECOND, methods: USUAL },
  loads: [0.7],
  window: [10 * SECOND, 30 * SECOND],
  calls: { retry: { maxAttempts: 3 }, ...LIMITS },
  script: ({ servers, at }) => {
    const all = (share: number): void => {
      for (const server of servers) server.failing = share;
    };
    at(10 * SECOND, () => all(1));
    at(30 * SECOND, () => all(0));
  },
  timeline: 'failures',
  byFailures: true,
};

/** From the end of the outage of one backend to that of the next. */
const BETWEEN = SECOND;
const RETURNING = 5;

export const outageEnds: Scenario = {
  name: 'outage_ends',
  title: 'All backends fail every call, then serve again one by one',
  explains:
    'From the 10th to the 30th second every backend answers UNAVAILABLE at once; then they serve again, one each second. The figures are those from 5 s after the last return on, for 5 s: by then all backends must have their share of the calls again, although calls to the late ones failed while others served.',
  servers: RETURNING,
  slots: 8,
  capacity: RETURNING * 8,
  workload: { duration: 50 * SECOND, methods: USUAL },
  loads: [0.3],
  window: [(35 + RETURNING - 1) * SECOND, (40 + RETURNING - 1) * SECOND],
  calls: { retry: { maxAttempts: 3 }, ...LIMITS },
  script: ({ servers, at }) => {
    at(10 * SECOND, () => {
      for (const server of servers) server.failing = 1;
    });
    servers.forEach((server, i) => {
      at(30 * SECOND + i * BETWEEN, () => {
        server.failing = 0;
      });
    });
  },
  timeline: { shareFrom: RETURNING - 1 },
  byShares: true,
};
