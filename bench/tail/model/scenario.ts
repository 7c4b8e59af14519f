import { randomFor } from '../../sim/engine/seeds.js';

export const BACKENDS = 8;
export const SLOTS = 4;

/** How the backends are, each at its time. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly explains: string;
  /** How many times as long as at full speed backend `backend` takes in that second of a run. */
  slowness(seed: number): (backend: number, second: number) => number;
  /** From the first second that counts it answers every call with an error at once. */
  fails(backend: number): boolean;
}

const always = (slownessOf: (backend: number) => number) => () => slownessOf;
const none = (): boolean => false;

/** From full speed to a fifth of it, in even steps. */
const SPEEDS = Array.from({ length: BACKENDS }, (_, i) => 5 ** (i / (BACKENDS - 1)));

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const shuffle = [...list];
  for (let i = shuffle.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffle[i], shuffle[j]] = [shuffle[j]!, shuffle[i]!];
  }
  return shuffle;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'equal',
    title: 'Equal backends',
    explains: 'What every policy is made for. The work of calls differs, so that even here taking turns makes lines.',
    slowness: always(() => 1),
    fails: none,
  },
  {
    name: 'two_slow',
    title: 'Two of eight are three times slower',
    explains: 'Old hardware, or noisy neighbours. An equal share is more than those two can do.',
    slowness: always((backend) => (backend < 2 ? 3 : 1)),
    fails: none,
  },
  {
    name: 'one_slow',
    title: 'One of eight is ten times slower',
    explains: 'A disk that dies, a process that swaps. It answers, so that no health check finds it.',
    slowness: always((backend) => (backend === 0 ? 10 : 1)),
    fails: none,
  },
  {
    name: 'fast_failure',
    title: 'One of eight fails every call at once',
    explains:
      'It loses its database when the measured time begins, and its errors are the fastest answers of all. There are no retries.',
    slowness: always(() => 1),
    fails: (backend) => backend === 0,
  },
  {
    name: 'changing_speeds',
    title: 'Speeds that change each second',
    explains: 'Backends between full speed and a fifth of it, which change places each second, as on shared machines.',
    slowness: (seed) => {
      const seconds = new Map<number, number[]>();
      return (backend, second) => {
        let speeds = seconds.get(second);
        if (!speeds) seconds.set(second, (speeds = shuffled(SPEEDS, randomFor(seed, 'speeds', second))));
        return speeds[backend]!;
      };
    },
    fails: none,
  },
];

export function scenarioNamed(name: string): Scenario {
  const scenario = SCENARIOS.find((each) => each.name === name);
  if (scenario) return scenario;
  throw new RangeError(`There is no scenario "${name}"; use ${SCENARIOS.map((each) => each.name).join(', ')}`);
}

/** Slots at full speed that those which do not fail are worth. */
export function capacityOf(scenario: Scenario, seed: number): number {
  const slowness = scenario.slowness(seed);
  let capacity = 0;
  for (let backend = 0; backend < BACKENDS; backend++) {
    // Every second has the same speeds, in another order at most.
    if (!scenario.fails(backend)) capacity += SLOTS / slowness(backend, 0);
  }
  return capacity;
}
