import { describe, expect, test } from 'vitest';
import { constant, either, exponential } from '../../bench/sim/engine/distributions.js';
import { CENTRAL_QUEUE, type Subject, subjectOf, policyFactoryOf } from '../../bench/sim/subjects.js';
import type { RunResult } from '../../bench/sim/result.js';
import { run, type Setting, traceOf } from '../../bench/sim/run.js';
import type { Scenario } from '../../bench/sim/scenario.js';
import type { Workload } from '../../bench/sim/workload.js';

// The simulator against queueing theory. Each figure is the mean of independent runs; it may differ from the closed form
// by what Student's t allows at 99.9 %, and runs are so many that this is little.

const RUNS = 16;
/** Student's t at 99.9 %, two-sided, for 15 degrees of freedom. */
const T = 4.07;
const SERVICE_MS = 10;

interface System {
  readonly servers: number;
  readonly slots: number;
  readonly load: number;
  readonly subject?: Subject;
  readonly work?: Workload['methods'][number]['work'];
  readonly calls?: number;
}

async function simulate(system: System, measure: (result: RunResult) => number): Promise<number[]> {
  const { servers, slots, load, subject = subjectOf('random'), work = exponential(SERVICE_MS) } = system;
  const rate = (load * servers * slots) / work.mean;
  const scenario: Scenario = {
    name: 'theory',
    title: '',
    explains: '',
    servers,
    slots,
    capacity: servers * slots,
    workload: { duration: (system.calls ?? 20_000) / rate, methods: [{ name: 'Find', share: 1, work }] },
    // The start with empty queues is not covered by the formulas.
    window: [2000 / rate, Infinity],
  };
  const createPolicy = await policyFactoryOf(subject);
  return Array.from({ length: RUNS }, (_, i) => {
    const setting: Setting = { scenario, load, clients: 1, seed: i + 1, delay: 0 };
    return measure(run(setting, traceOf(setting), subject, createPolicy));
  });
}

/** `precision`: how wide the interval may be, so that agreement means something. */
function expectMean(samples: readonly number[], theory: number, precision: number): void {
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
  const variance = samples.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (samples.length - 1);
  const interval = T * Math.sqrt(variance / samples.length);
  expect(interval, `the runs differ by ${interval}`).toBeLessThan(precision * theory);
  expect(Math.abs(mean - theory), `${mean}, in theory ${theory}, ± ${interval}`).toBeLessThan(interval);
}

/** The chance to wait in M/M/c with `offered` erlangs. */
function erlangC(servers: number, offered: number): number {
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (offered * blocked) / (n + offered * blocked);
  return blocked / (1 - (offered / servers) * (1 - blocked));
}

function meanInMMc(servers: number, load: number): number {
  const wait = (erlangC(servers, servers * load) * SERVICE_MS) / (servers * (1 - load));
  return SERVICE_MS + wait;
}

describe('one server with one slot is M/M/1', () => {
  const meanTime = (load: number): number => SERVICE_MS / (1 - load);

  test.each([0.5, 0.7, 0.85])('its mean at load %d', async (load) => {
    expectMean(await simulate({ servers: 1, slots: 1, load }, ({ mean }) => mean), meanTime(load), 0.1);
  });

  test('its median and p99: sojourn times are exponential', async () => {
    const system = { servers: 1, slots: 1, load: 0.7 };
    expectMean(await simulate(system, ({ p50 }) => p50), Math.log(2) * meanTime(0.7), 0.06);
    expectMean(await simulate(system, ({ p99 }) => p99), Math.log(100) * meanTime(0.7), 0.12);
  });
});

test('work of two lengths waits as in the Pollaczek-Khinchine formula', async () => {
  const work = either(0.1, constant(55), constant(5));
  const secondMoment = 0.1 * 55 ** 2 + 0.9 * 5 ** 2;
  const load = 0.6;
  const wait = ((load / work.mean) * secondMoment) / (2 * (1 - load));
  const means = await simulate({ servers: 1, slots: 1, load, work }, ({ mean }) => mean);
  expectMean(means, work.mean + wait, 0.06);
});

test('calls that are spread at random make each server an M/M/1 queue', async () => {
  expectMean(await simulate({ servers: 4, slots: 1, load: 0.7 }, ({ mean }) => mean), SERVICE_MS / 0.3, 0.05);
});

test.each([
  [1, 0.7],
  [4, 0.8],
  [8, 0.85],
])('a server with %d slots at load %d is M/M/c', async (slots, load) => {
  expectMean(await simulate({ servers: 1, slots, load }, ({ mean }) => mean), meanInMMc(slots, load), 0.1);
});

test.each([
  [4, 1, 0.9],
  [10, 8, 0.95],
])('the central queue over %d servers of %d slots at load %d is M/M/c', async (servers, slots, load) => {
  const system = { servers, slots, load, subject: CENTRAL_QUEUE, calls: 40_000 };
  expectMean(await simulate(system, ({ mean }) => mean), meanInMMc(servers * slots, load), 0.1);
});

test('round robin over two servers makes each an E2/M/1 queue', async () => {
  const load = 0.8;
  // The root of sigma = A(mu - mu * sigma), where A is the transform of the times between every second arrival.
  let sigma = 0.5;
  for (let i = 0; i < 1000; i++) sigma = ((2 * load) / (2 * load + 1 - sigma)) ** 2;
  const means = await simulate({ servers: 2, slots: 1, load, subject: subjectOf('round_robin') }, ({ mean }) => mean);
  expectMean(means, SERVICE_MS / (1 - sigma), 0.06);
});
