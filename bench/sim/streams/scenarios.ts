import type { StreamBehavior, StreamScenario } from './stream-scenario.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const STAY: StreamBehavior = { name: 'streams stay', resumable: false };
const DEFAULTS: StreamBehavior = { name: 'defaults', resumable: true };

const BEHAVIORS: readonly StreamBehavior[] = [
  STAY,
  { name: 'a maximum age of 5 min', resumable: false, maxAge: 5 * MINUTE },
  DEFAULTS,
  {
    name: 'one move each 10 s',
    resumable: true,
    balancing: { streams: { rebalance: { streamsPerMove: 1_000_000 } } },
  },
];

const THOUSAND = { streams: 1000, lasts: 30 * MINUTE, behaviors: BEHAVIORS } as const;

const join: StreamScenario = {
  ...THOUSAND,
  name: 'streams_join',
  title: 'Two of ten backends are new',
  explains:
    'A thousand streams of half an hour are on eight backends when two more join. The two must carry their part soon, with few moves, and must not get it all at once.',
  servers: 8,
  clients: [1, 10, 30, 50, 100, 1000],
  from: MINUTE,
  script: ({ at, add }) => at(MINUTE, () => add(2)),
};

const restart: StreamScenario = {
  ...THOUSAND,
  name: 'streams_restart',
  title: 'A rolling restart of all ten',
  explains:
    'Every 20 s a new backend joins and an old one leaves discovery; 30 s later it ends what is left on it. Streams that stay end on the survivors; the figures begin when the last old backend has left.',
  servers: 10,
  clients: [10, 50, 100, 1000],
  from: MINUTE + 230 * SECOND,
  script: ({ at, add, remove, servers }) => {
    for (let i = 0; i < 10; i++) {
      at(MINUTE + i * 20 * SECOND, () => add(1));
      at(MINUTE + (i * 20 + 10) * SECOND, () => remove([servers[i]!], 30 * SECOND));
    }
  },
};

const herd: StreamScenario = {
  ...THOUSAND,
  name: 'streams_herd',
  title: 'All streams begin again at once',
  explains:
    'All ten backends die at the same time and come back one after the other, half a second apart; every stream begins again as soon as its client has a backend. The first ones back get nearly all streams; the figures begin when the last one is back.',
  servers: 10,
  clients: [10, 50, 100, 1000],
  from: MINUTE + 10 * SECOND,
  script: ({ at, kill, revive, servers }) => {
    at(MINUTE, () => kill(servers));
    for (const [i, server] of servers.entries()) at(MINUTE + 5 * SECOND + i * 500, () => revive([server]));
  },
};

export const STREAM_SCENARIOS: readonly StreamScenario[] = [join, restart, herd];
