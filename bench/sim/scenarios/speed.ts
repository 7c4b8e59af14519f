import type { Scenario } from '../scenario.js';
import { SECOND, TEN, USUAL } from './common.js';

const SLOW = 3;

export const twoSlow: Scenario = {
  ...TEN,
  name: 'two_slow',
  title: 'Two of ten are three times slower',
  explains:
    'Old hardware, or noisy neighbours: two of the backends take three times as long for everything. A policy that gives them as many calls as the others builds a line there that grows without end, and one that counts only its own calls in flight needs many of them to tell slow from busy.',
  workload: { duration: 60 * SECOND, methods: USUAL },
  capacity: 64 + 16 / SLOW,
  script: ({ servers }) => {
    for (const server of servers.slice(0, 2)) server.slowness = SLOW;
  },
};

export const few: Scenario = {
  name: 'few',
  title: 'Three replicas, one of them three times slower',
  explains:
    'What most services have: three backends, one on a worse machine. With so few there is no crowd to hide a mistake in: what one cannot take has to go to two others.',
  servers: 3,
  slots: 8,
  workload: { duration: 90 * SECOND, methods: USUAL },
  capacity: 16 + 8 / SLOW,
  script: ({ servers }) => {
    servers[0]!.slowness = SLOW;
  },
};

/** From full speed to a fifth of it, in even steps. */
const SPEEDS = Array.from({ length: 10 }, (_, i) => 5 ** (i / 9));

export const changingSpeeds: Scenario = {
  ...TEN,
  name: 'changing_speeds',
  title: 'Speeds that change every few seconds',
  explains:
    'Backends between full speed and a fifth of it, of which two change places every 0.8 s on average, as on shared machines where neighbours come and go. What was learned is soon wrong: a policy must notice at once, forget in time, and give a backend that was slow another chance.',
  workload: { duration: 50 * SECOND, methods: USUAL },
  capacity: 8 * SPEEDS.reduce((sum, slowness) => sum + 1 / slowness, 0),
  script: ({ servers, random, every }) => {
    servers.forEach((server, i) => (server.slowness = SPEEDS[i]!));
    every(
      () => -800 * Math.log(1 - random()),
      () => {
        const one = servers[Math.floor(random() * 10)]!;
        const other = servers[Math.floor(random() * 10)]!;
        [one.slowness, other.slowness] = [other.slowness, one.slowness];
      },
    );
  },
};

export const oneSlow: Scenario = {
  ...TEN,
  name: 'one_slow',
  title: 'One is ten times slower for 10 s',
  explains:
    'A backend stalls: a backup, a long garbage collection, a disk that hangs, from the 20th to the 30th second. The calls that are on it when it begins are lost time; how many follow them makes the tail (look at p99.9).',
  workload: { duration: 50 * SECOND, methods: USUAL },
  script: ({ servers, at }) => {
    at(20 * SECOND, () => (servers[0]!.slowness = 10));
    at(30 * SECOND, () => (servers[0]!.slowness = 1));
  },
  timeline: 'latency',
};
