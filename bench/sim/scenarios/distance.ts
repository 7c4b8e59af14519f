import { exponential } from '../engine/distributions.js';
import { limited } from '../subjects.js';
import type { Places } from '../places.js';
import type { Scenario } from '../scenario.js';
import { SECOND, TEN, unary, USUAL } from './common.js';

/** All clients are in one place, and the first servers are nearer than the others, by milliseconds each way. */
function nearFirst(count: number, near: number, far: number): Places {
  return {
    serverZone: (index) => (index < count ? 0 : 1),
    clientZone: () => 0,
    distance: (from, to) => (from === to ? near : far),
  };
}

export const near: Scenario = {
  name: 'near',
  title: 'Quick calls, and a replica that is 1 ms nearer',
  explains:
    'Three idle replicas work for 0.7 ms on average, and a message takes 0.35 ms to the first and 0.85 ms to the others. A policy that sends all calls to the nearest saves a millisecond, and leaves two replicas cold; the busiest should have at most 1.5 times the mean.',
  servers: 3,
  slots: 8,
  capacity: 24,
  loads: [0.001, 0.01, 0.1],
  clients: [1, 10],
  workload: { duration: 60 * SECOND, methods: unary(exponential(0.7)) },
  places: nearFirst(1, -0.15, 0.35),
  byShares: true,
};

export const distances: Scenario = {
  ...TEN,
  name: 'distances',
  title: 'Half of the backends are in the next zone',
  explains:
    'A call to five of the ten backends takes 2 ms longer, as between two zones of a region. The backends work for 20 ms on average, so that there is nothing to gain from the shorter way, and a policy that insists on it makes a line there.',
  workload: { duration: 30 * SECOND, methods: USUAL },
  places: nearFirst(5, 0, 1),
};

export const far: Scenario = {
  ...TEN,
  name: 'far',
  title: 'Half of the backends are far away',
  explains:
    'A call to five of the ten backends takes 30 ms longer, more than its work, as between two regions. The nearer ones are worth some waiting, and how much of it decides: their way is shorter, but they are not faster.',
  workload: { duration: 30 * SECOND, methods: USUAL },
  places: nearFirst(5, 0, 15),
};

const SLOW = 3;

export const quick: Scenario = {
  ...TEN,
  name: 'quick',
  title: 'Quick calls, and two of ten are three times slower',
  explains:
    'As two of ten above, with 1 ms of work instead of 20. The latencies of slow and fast backends differ by 2 ms, which is less than distances are excused for, and still a policy must tell slow from far.',
  workload: { duration: 3 * SECOND, methods: unary(exponential(1)) },
  capacity: 64 + 16 / SLOW,
  script: ({ servers }) => {
    for (const server of servers.slice(0, 2)) server.slowness = SLOW;
  },
};

/** Of three zones with as many servers, seven tenths of the clients are in the first. */
const UNEQUAL: Places = {
  serverZone: (index) => index % 3,
  clientZone: (who) => (who < 0.7 ? 0 : who < 0.85 ? 1 : 2),
  distance: (from, to) => (from === to ? 0 : 0.75),
  known: true,
};

export const zones: Scenario = {
  name: 'zones',
  title: 'Three zones, and most clients in one of them',
  explains:
    'Calls prefer the zone of their client, which has a third of the backends and seven tenths of the clients, so that at 60 % load it would have to do 126 % of what it can. How many calls leave it depends on the latencies that the zones show; the figures are those from the 20th second on.',
  servers: 9,
  slots: 8,
  capacity: 72,
  loads: [0.6],
  clients: [10, 100],
  workload: { duration: 60 * SECOND, methods: USUAL },
  window: [20 * SECOND, 60 * SECOND],
  places: UNEQUAL,
};

export const zoneRules: Scenario = {
  ...zones,
  name: 'zone_rules',
  title: 'Most clients in one of three zones, with and without each rule',
  explains:
    'As above, and at 46 % load, where that zone would have to do 97 % of what it can: "no zones" spreads all calls over all backends, "by health" lets calls leave a zone only if too few of its backends are healthy, "by latency" is the default, and "by reports" adds `spillUtilization: 0.1`. All with `least_request`; beside the latencies it counts which calls leave the zone of their client, which costs money and up to 1.5 ms.',
  loads: [0.46, 0.6],
  subjects: [
    limited('no zones', { balancing: { locality: { enabled: false } } }),
    limited('by health', { balancing: { locality: { minCrossZoneShare: 0 } } }),
    limited('by latency', {}),
    limited('by reports', { balancing: { locality: { spillUtilization: 0.1 } } }),
  ],
};
