import { describe, expect, test } from 'vitest';
import { aperture, randomSubset, type Subset } from '../../bench/sim/dispatch/subsets.js';
import { CENTRAL_QUEUE, subjectOf, subjectsOf, PERFECT_KNOWLEDGE } from '../../bench/sim/subjects.js';
import { type Entry, perform, type Task } from '../../bench/sim/plan.js';
import { cellsOf } from '../../bench/sim/report/cells.js';
import { SCENARIOS, scenarioNamed } from '../../bench/sim/scenarios/index.js';
import type { Server } from '../../bench/sim/servers/server.js';

function task(scenario: string, policies: string, over: Partial<Task> = {}): Task {
  return {
    scenario,
    load: 0.7,
    clients: [10],
    seed: 1,
    subjects: [CENTRAL_QUEUE, ...subjectsOf(policies)],
    balancing: {},
    stretch: 1,
    ...over,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

test('the same seed gives identical results', async () => {
  const twice = task('changing_speeds', 'adaptive,hot_cold,peak_ewma,least_request', { stretch: 0.1 });
  expect(await perform(twice)).toEqual(await perform(twice));
});

describe('each scenario', () => {
  // Scenarios with a thousand backends are slow to set up, and otherwise equal those with a hundred.
  const usual = SCENARIOS.filter(({ name }) => !name.startsWith('thousand')).map(({ name }) => [name] as const);

  test.each(usual)('%s: every call ends on some backend', async (name) => {
    const entries = await perform(task(name, 'adaptive,perfect', { stretch: 0.05 }));
    for (const { calls, failed, shares, p50, p999, attempts } of entries) {
      expect(calls).toBeGreaterThan(1000);
      expect(sum(shares)).toBeCloseTo(1, 6);
      expect(p50).toBeGreaterThan(1);
      expect(p999).toBeGreaterThan(p50);
      expect(failed).toBeGreaterThanOrEqual(0);
      expect(attempts).toBeGreaterThanOrEqual(1);
    }
  });

  test('is explained in two sentences', () => {
    for (const { name, explains } of SCENARIOS) {
      expect(explains.match(/[.)](?= [A-Z]|$)/g), name).toHaveLength(2);
    }
  });
});

describe('the bound', () => {
  const policies = 'random,round_robin,p2c,least_request,peak_ewma,adaptive';

  test.each(['equal', 'heavy_tail', 'bimodal', 'bursts', 'one_slot'])(
    'is not beaten on the mean by what does not know the work, with equal backends: %s',
    async (name) => {
      const entries = await perform(task(name, policies, { load: 0.85, clients: [1, 10], stretch: 0.25 }));
      const bound = entries[0]!.mean;
      for (const { subject, mean } of entries) expect(mean, subject).toBeGreaterThanOrEqual(bound);
    },
  );

  test('and perfect knowledge are the same for any number of clients', async () => {
    const entries = await perform(task('two_slow', 'perfect', { clients: [1, 100], stretch: 0.05 }));
    for (const { name } of [CENTRAL_QUEUE, PERFECT_KNOWLEDGE]) {
      const [one, hundred] = entries.filter(({ subject }) => subject === name);
      expect({ ...one, clients: 100 }).toEqual(hundred);
    }
  });
});

// What an earlier simulator, of other code, found (docs/decisions/003-compare-all-endpoints.md goes back to it).
test('two slow backends of ten have the expected cost', async () => {
  const clients = [1, 10, 100];
  const cells = cellsOf(await perform(task('two_slow', 'round_robin,least_request,p2c', { clients, stretch: 0.4 })));
  const p99 = (name: string): number[] => cells.filter((cell) => cell.subject === name).map((cell) => cell.p99);
  // The queue of the slow ones keeps growing by 0.8 s each second.
  for (const value of p99('round_robin')) expect(value).toBeGreaterThan(150);
  const near = (values: readonly number[], known: readonly number[]): void =>
    values.forEach((value, i) => expect(Math.abs(value / known[i]! - 1)).toBeLessThan(0.1));
  near(p99('least_request'), [1.43, 1.58, 5.37]);
  near(p99('least_request, 2 choices'), [1.49, 2.01, 6.06]);
});

const PEERS = 'p2c,least_request,peak_ewma,hot_cold,adaptive';

describe('failures that are not caused by backends', () => {
  test('are one call in twenty, the same under every policy, and are not retried', async () => {
    const policies = `random,round_robin,weighted_round_robin,${PEERS},perfect`;
    const entries = await perform(task('errors', policies, { stretch: 0.1 }));
    expect(entries).toHaveLength(10);
    // 500 of 10000 calls, with a standard deviation of 22.
    expect(Math.abs(entries[0]!.failed - 0.05)).toBeLessThan(0.01);
    for (const { subject, failed, attempts } of entries) {
      expect(failed, subject).toBe(entries[0]!.failed);
      expect(attempts, subject).toBe(1);
    }
  });

  // Seeds in which an ejection for two failures of the first five calls made it up to 500 times the bound
  // (docs/decisions/029-chance-in-ejections.md).
  test.each([18, 24])('eject no backend that is needed, seed %d', async (seed) => {
    const policies = 'least_request,peak_ewma,adaptive';
    const cells = cellsOf(await perform(task('errors', policies, { load: 0.85, clients: [1], seed })));
    for (const { subject, p99 } of cells) expect(p99, subject).toBeLessThan(1.5);
  });
});

// docs/decisions/029-chance-in-ejections.md has these shares, over three seeds.
test('a backend that fails every call at once is detected after a few failures at each of a hundred clients', async () => {
  const entries = await perform(task('fast_failure', PEERS, { clients: [100] }));
  const percent = (name: string): number => 100 * entries.find(({ subject }) => subject === name)!.failed;
  const near = (name: string, known: number): void =>
    expect(Math.abs(percent(name) / known - 1), name).toBeLessThan(0.2);
  near('least_request, 2 choices', 0.87);
  near('least_request', 0.36);
  near('peak_ewma', 0.9);
  near('hot_cold', 0.94);
  near('adaptive', 0.55);
});

// docs/decisions/043-hedge-delay.md has the figures of three seeds.
describe('hedging', () => {
  const hedgedAndNot = (policy: string): string => `${policy},${policy}+hedge`;

  test('cuts the tail of a policy that only counts, for few additional attempts', async () => {
    const entries = await perform(task('hedge', hedgedAndNot('least_request'), { clients: [1, 10] }));
    for (const clients of [1, 10]) {
      const [plain, hedged] = entries.filter((entry) => entry.clients === clients).slice(1);
      expect(hedged!.p999).toBeLessThan(0.7 * plain!.p999);
      expect(hedged!.p99).toBeLessThan(plain!.p99);
      expect(hedged!.attempts).toBeGreaterThan(1);
      expect(hedged!.attempts).toBeLessThan(1.03);
    }
  });

  test.each(['hedge', 'heavy_tail'])('does not harm a policy that has nothing to win: %s', async (name) => {
    const [, plain, hedged] = await perform(task(name, hedgedAndNot('adaptive'), { load: 0.85 }));
    expect(hedged!.p99).toBeLessThan(1.03 * plain!.p99);
    expect(hedged!.p999).toBeLessThan(1.03 * plain!.p999);
    expect(hedged!.attempts).toBeLessThan(1.005);
  });

  test('does not add to an overload', async () => {
    const [, plain, hedged] = await perform(task('overload', hedgedAndNot('least_request'), { load: 0.5 }));
    expect(hedged!.failed).toBeLessThan(plain!.failed + 0.005);
    expect(hedged!.attempts).toBeLessThan(1.005);
  });
});

test.each([1, 100])('in a full outage retries of %d clients add less than a tenth to the load', async (clients) => {
  const [, outage] = await perform(task('full_outage', 'adaptive', { clients: [clients] }));
  expect(outage!.failed).toBeGreaterThan(0.99);
  expect(outage!.attempts).toBeGreaterThan(1);
  expect(outage!.attempts).toBeLessThan(1.1);
});

describe('subsets', () => {
  const servers = Array.from({ length: 1000 }, (_, index) => ({ index, key: `10.0.0.1:${index}` }) as Server);
  const clientsOf = (subset: Subset): number[] => {
    const counts = servers.map(() => 0);
    for (let client = 0; client < 100; client++) for (const { index } of subset(client, 100)(servers)) counts[index]!++;
    return counts;
  };

  test('by aperture give every server equally many clients', () => {
    expect(new Set(clientsOf(aperture(20)))).toEqual(new Set([2]));
  });

  test('at random leave about one in seven without any', () => {
    const counts = clientsOf(randomSubset(20));
    expect(sum(counts)).toBe(2000);
    // (1 - 20/1000)^100 = 0.133 of a thousand, with a standard deviation below 10.
    const none = counts.filter((count) => count === 0).length;
    expect(Math.abs(none - 133)).toBeLessThan(50);
  });
});

describe('a policy on the command line', () => {
  test('is a name, a config or a module', () => {
    expect(subjectsOf('adaptive,{"name":"peak_ewma","decayTime":5000},bench/sim/variants/x.ts,perfect')).toEqual([
      { kind: 'config', name: 'adaptive', config: { name: 'adaptive' } },
      {
        kind: 'config',
        name: 'peak_ewma, decayTime 5000',
        config: { name: 'peak_ewma', decayTime: 5000 },
      },
      { kind: 'module', name: 'x', path: 'bench/sim/variants/x.ts' },
      PERFECT_KNOWLEDGE,
    ]);
  });

  test('may have hedging behind it', () => {
    const [named, given] = subjectsOf('adaptive+hedge,{"name":"peak_ewma","decayTime":5000}+p95');
    expect(named).toMatchObject({ name: 'adaptive, hedge p95', hedge: { quantile: 0.95 } });
    expect(given).toMatchObject({ name: 'peak_ewma, decayTime 5000, hedge p95', hedge: { quantile: 0.95 } });
    expect(() => subjectOf('perfect+hedge')).toThrow(/perfect knowledge/);
  });

  test('that does not exist is an error that lists the known ones', () => {
    expect(() => subjectOf('adaptve')).toThrow(/adaptve.*adaptive/s);
    expect(() => subjectOf('{"name":"peak_ewma","decay":1}')).toThrow(/decay/);
  });
});

describe('rules of zones', () => {
  const rules = scenarioNamed('zone_rules').subjects!;

  test('keep calls in the zone of their client as far as it can take them', async () => {
    const subjects = [CENTRAL_QUEUE, ...rules.filter(({ name }) => name === 'no zones' || name === 'by latency')];
    const [, without, byLatency] = await perform(task('zone_rules', '', { load: 0.46, subjects }));
    // The others have two thirds of the backends.
    expect(Math.abs(without!.crossed - 2 / 3)).toBeLessThan(0.02);
    expect(byLatency!.crossed).toBeLessThan(0.1);
    expect(byLatency!.p99).toBeLessThan(1.5 * without!.p99);
  });
});

// docs/decisions/064-shedding-by-turns.md has the figures.
describe('backends that shed', () => {
  const subjects = scenarioNamed('shedding').subjects!.filter(({ name }) => name === 'shedding');
  const clients = [1, 100];
  const at = async (load: number): Promise<Entry[]> =>
    (await perform(task('shedding', '', { load, clients, subjects: [CENTRAL_QUEUE, ...subjects] }))).slice(
      clients.length,
    );

  test('serve what they can, and the important calls, however many connections the calls come by', async () => {
    const [normal, overload] = [await at(0.7), await at(3)];
    overload.forEach(({ failed, methods, p99, attempts }, i) => {
      expect((1 - failed) * 3).toBeGreaterThan(0.95);
      expect(p99).toBeLessThan(2 * normal[i]!.p99);
      expect(attempts).toBeLessThan(1.02);
      const [critical, plus, sheddable] = methods;
      expect(critical!.failed).toBeLessThan(0.005);
      expect(plus!.failed).toBeLessThan(sheddable!.failed);
    });
    for (const { failed } of normal) expect(failed).toBeLessThan(0.03);
  });
});

test('ratios are computed run by run, on the same draws', () => {
  const unit = {
    calls: 1,
    failed: 0,
    attempts: 1,
    mean: 1,
    p50: 1,
    p999: 1,
    shares: [1],
    crossed: 0,
    maxInFlight: 1,
    methods: [],
    timeline: [],
  };
  const entry = (subject: string, seed: number, p99: number): Entry => ({
    scenario: 'equal',
    load: 0.7,
    clients: 10,
    seed,
    subject,
    p99,
    ...unit,
  });
  const cells = cellsOf([
    entry(CENTRAL_QUEUE.name, 1, 100),
    entry(CENTRAL_QUEUE.name, 2, 200),
    entry('adaptive', 1, 110),
    entry('adaptive', 2, 180),
  ]);
  expect(cells.find(({ subject }) => subject === 'adaptive')).toMatchObject({
    p99: (1.1 + 0.9) / 2,
    spread: [0.9, 1.1],
    absolute: { p99: 145 },
  });
});
