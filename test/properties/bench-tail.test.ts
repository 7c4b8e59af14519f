import { describe, expect, test } from 'vitest';
import { mean } from '../../bench/sim/engine/quantiles.js';
import { randomFor } from '../../bench/sim/engine/seeds.js';
import { centralQueue } from '../../bench/tail/model/bound.js';
import { callsOf } from '../../bench/tail/model/calls.js';
import type { RunSpec } from '../../bench/tail/model/run-spec.js';
import { BACKENDS, capacityOf, SCENARIOS, scenarioNamed, SLOTS } from '../../bench/tail/model/scenario.js';
import { Slots } from '../../bench/tail/model/slots.js';
import { type RunResult, unsound } from '../../bench/tail/result.js';
import { cellsOf, spreadOf } from '../../bench/tail/report/cells.js';

const NAMES = SCENARIOS.map(({ name }) => name);

function spec(scenario: string, more: Partial<RunSpec> = {}): RunSpec {
  const usual = { seed: 1, load: 0.7, clients: 1, work: 20, warmUp: 4, seconds: 20, deadline: 2000 };
  return { ...usual, scenario, ...more };
}

describe('the calls of a run', () => {
  test.each(NAMES)('%s: offer the requested load', (scenario) => {
    const { seed, load, warmUp, seconds } = spec(scenario);
    const { work } = callsOf(spec(scenario));
    const offered = work.reduce((sum, each) => sum + each, 0) / ((warmUp + seconds) * 1000);
    // About 25,000 draws whose spread is 1.3 times their mean: 0.8 % is one standard error.
    expect(offered / capacityOf(scenarioNamed(scenario), seed)).toBeGreaterThan(load * 0.97);
    expect(offered / capacityOf(scenarioNamed(scenario), seed)).toBeLessThan(load * 1.03);
  });

  test('are the same for any number of clients, and each is made by one of them', () => {
    const [one, six] = [callsOf(spec('equal')), callsOf(spec('equal', { clients: 6 }))];
    expect(six.at).toEqual(one.at);
    expect(six.work).toEqual(one.work);
    expect([...new Set(six.client)].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('differ between rounds', () => {
    expect(callsOf(spec('equal', { seed: 2 })).at[0]).not.toBe(callsOf(spec('equal')).at[0]);
  });

  test('count from the end of the warm-up', () => {
    const { at, firstMeasured } = callsOf(spec('equal'));
    expect(at[firstMeasured - 1]).toBeLessThan(4000);
    expect(at[firstMeasured]).toBeGreaterThanOrEqual(4000);
  });
});

describe('slots', () => {
  test('serve one job each at a time, first come, first served', () => {
    const slots = new Slots(2, () => 1);
    expect([slots.take(0, 10), slots.take(0, 4), slots.take(1, 5), slots.take(20, 1)]).toEqual([10, 4, 9, 21]);
  });

  test('keep the speed of a job from its start', () => {
    const slots = new Slots(1, (time) => (time < 10 ? 1 : 3));
    expect([slots.take(0, 12), slots.take(1, 2)]).toEqual([12, 18]);
  });

  test('report the work done so far', () => {
    const slots = new Slots(2, () => 1);
    slots.take(0, 10);
    slots.take(0, 10);
    slots.take(0, 10);
    expect([0, 5, 15, 30].map((now) => slots.worked(now))).toEqual([0, 10, 25, 30]);
  });
});

describe('the bound', () => {
  test('for equal backends is that of one backend with all the slots', () => {
    const run = spec('equal', { load: 0.95 });
    const calls = callsOf(run);
    const slots = new Slots(BACKENDS * SLOTS, () => 1);
    const latencies = Array.from(calls.at, (at, i) => slots.take(at, calls.work[i]!) - at);
    const bound = centralQueue(run, calls);
    expect(bound.length).toBe(calls.count - calls.firstMeasured);
    bound.forEach((latency, i) => expect(latency).toBeCloseTo(latencies[calls.firstMeasured + i]!, 6));
  });

  test.each(NAMES)('%s: is below random choice and least request', (scenario) => {
    const run = spec(scenario, { deadline: Infinity });
    const calls = callsOf(run);
    const slowness = scenarioNamed(scenario).slowness(run.seed);
    const usable = Array.from({ length: BACKENDS }, (_, i) => i).filter((i) => !scenarioNamed(scenario).fails(i));
    const backends = usable.map((i) => new Slots(SLOTS, (time) => slowness(i, Math.floor(time / 1000))));
    const random = randomFor(1, 'choice');
    const latencies = Array.from(calls.at, (at, i) => {
      return backends[Math.floor(random() * backends.length)]!.take(at, calls.work[i]!) - at;
    });
    expect(mean(centralQueue(run, calls))).toBeLessThan(mean(latencies.slice(calls.firstMeasured)));
  });

  test('has no call that waits longer than the deadline', () => {
    const run = spec('one_slow', { deadline: 100 });
    expect(Math.max(...centralQueue(run, callsOf(run)))).toBe(100);
  });
});

describe('the report', () => {
  const quantiles = (p99: number) => ({ p50: 10, p90: 20, p99, p999: 2 * p99 });
  const late = { p50: 1, p99: 2, max: 9 };
  const result = (seed: number, p99: number, more: Partial<RunResult> = {}): RunResult => ({
    subject: 'adaptive',
    spec: spec('equal', { seed }),
    calls: 100,
    timedOut: 0,
    failed: 0,
    error: undefined,
    latency: quantiles(p99),
    bound: quantiles(100),
    counts: [30, 70],
    cpu: 200,
    resident: 2 ** 27,
    heap: 2 ** 25,
    idleCall: 1,
    lateStarts: late,
    lateAnswers: late,
    busyClient: 0.2,
    busyBackend: 0.1,
    busyMachine: 0.5,
    ...more,
  });

  test('gives the median of the rounds, each over its own bound, with the lowest and the highest', () => {
    const [cell] = cellsOf([result(1, 104), result(2, 130), result(3, 102, { bound: quantiles(102) })]);
    expect(cell).toMatchObject({ rounds: 3, calls: 300, idlest: 0.3, busiest: 0.7 });
    expect(cell!.p99).toEqual({ median: 1.04, low: 1, high: 1.3 });
    expect(spreadOf([3, 1]).median).toBe(2);
  });

  test('counts a run whose timers were late, and marks it as unsound', () => {
    const bad = result(2, 400, { lateAnswers: { ...late, p99: 7 } });
    expect(unsound(result(1, 104))).toBeUndefined();
    expect(unsound(bad)).toBe('answers 7.0 ms late at p99');
    expect(cellsOf([result(1, 104), bad])[0]).toMatchObject({ unsound: 1, rounds: 2 });
  });

  test('is sorted by scenarios, clients and subjects, whatever the order of the runs', () => {
    const other = result(1, 104, { subject: 'Nest, pick_first' });
    const later = result(1, 104, { spec: spec('two_slow') });
    const cells = cellsOf([later, result(1, 104), other]);
    expect(cells.map(({ scenario, subject }) => `${scenario} ${subject}`)).toEqual([
      'equal Nest, pick_first',
      'equal adaptive',
      'two_slow adaptive',
    ]);
  });
});
