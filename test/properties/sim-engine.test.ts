import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deque } from '../../bench/sim/engine/deque.js';
import { either, exponential, lognormal } from '../../bench/sim/engine/distributions.js';
import { EventQueue } from '../../bench/sim/engine/event-queue.js';
import { quantile } from '../../bench/sim/engine/quantiles.js';
import { randomFor } from '../../bench/sim/engine/seeds.js';
import { drawTrace, meanWork, type Workload } from '../../bench/sim/workload.js';
import { check } from './check.js';

describe('virtual time', () => {
  const plans = fc.array(fc.record({ delay: fc.nat({ max: 20 }), again: fc.option(fc.nat({ max: 20 })) }), {
    maxLength: 300,
  });

  test('passes in order, and simultaneous events run in the order in which they were set', () => {
    check(
      fc.property(plans, (events) => {
        const queue = new EventQueue();
        const happened: { readonly at: number; readonly number: number }[] = [];
        let number = 0;
        const set = (delay: number, again: number | null): void => {
          const [at, own] = [queue.now() + delay, number++];
          const run = (): void => {
            expect(queue.now()).toBe(at);
            happened.push({ at, number: own });
            if (again !== null) set(again, null);
          };
          queue.at(at, { run });
        };
        for (const { delay, again } of events) set(delay, again);
        queue.run();
        expect(happened).toHaveLength(number);
        expect(happened).toEqual(happened.toSorted((a, b) => a.at - b.at || a.number - b.number));
      }),
    );
  });

  test('holds any number of events', () => {
    const queue = new EventQueue();
    const random = randomFor(1, 'times');
    const times = Array.from({ length: 5000 }, () => random());
    const happened: number[] = [];
    for (const time of times) queue.at(time, { run: () => happened.push(queue.now()) });
    queue.run();
    expect(happened).toEqual(times.toSorted((a, b) => a - b));
  });

  test('does not fire a cancelled timer, and ends when stopped', () => {
    const queue = new EventQueue();
    const fired: string[] = [];
    const cancel = queue.after(1, () => fired.push('cancelled'));
    queue.after(2, () => {
      fired.push('last');
      queue.stop();
    });
    queue.after(3, () => fired.push('after the end'));
    cancel();
    queue.run();
    expect(fired).toEqual(['last']);
    expect(queue.now()).toBe(2);
  });
});

test('a deque returns its items in order', () => {
  check(
    fc.property(fc.array(fc.option(fc.nat()), { maxLength: 5000 }), (steps) => {
      const deque = new Deque<number>();
      const list: number[] = [];
      const taken: (readonly [number | undefined, number | undefined])[] = [];
      for (const step of steps) {
        if (step === null) taken.push([deque.shift(), list.shift()]);
        else {
          deque.push(step);
          list.push(step);
        }
        expect(deque.length).toBe(list.length);
      }
      expect(taken.map(([own]) => own)).toEqual(taken.map(([, known]) => known));
      expect([...deque]).toEqual(list);
    }),
    50,
  );
});

test.each([
  ['exponential', exponential(20)],
  ['lognormal', lognormal(20, 0.5)],
  ['of two kinds', either(0.1, exponential(110), exponential(10))],
])('work that is %s has the configured mean', (_, distribution) => {
  const random = randomFor(1, 'draws');
  const draws = 200_000;
  let sum = 0;
  for (let i = 0; i < draws; i++) sum += distribution.draw(random);
  // The standard deviation is at most 46: five standard errors are 0.5.
  expect(Math.abs(sum / draws - distribution.mean)).toBeLessThan(0.5);
});

test('a quantile is the value with its share of values below', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, i) => i);
  expect([0, 0.5, 0.99, 0.999].map((q) => quantile(hundred, q))).toEqual([0, 50, 99, 99]);
  expect(quantile(new Float64Array(), 0.5)).toBeNaN();
});

describe('the draws of a run', () => {
  const workload: Workload = {
    duration: 20_000,
    methods: [
      { name: 'Find', share: 0.75, work: exponential(10) },
      { name: 'Report', share: 0.25, work: exponential(50) },
    ],
    bursts: { share: 0.5, size: 50, within: 5 },
  };

  test('are the same for the same seed, and different for another one', () => {
    expect(drawTrace(workload, 1, 7)).toEqual(drawTrace(workload, 1, 7));
    expect(drawTrace(workload, 1, 7).at).not.toEqual(drawTrace(workload, 1, 8).at);
  });

  test('are in order, at the requested rate, with the shares of the methods', () => {
    const { at, method, work, size } = drawTrace(workload, 1, 1);
    expect(at).toEqual(at.toSorted());
    // 20000 calls, half of them in 200 bursts of 50: the standard deviation is about 715.
    expect(Math.abs(size - 20_000)).toBeLessThan(3000);
    const heavy = method.reduce((sum, kind) => sum + kind, 0) / size;
    expect(Math.abs(heavy - 0.25)).toBeLessThan(0.02);
    expect(Math.abs(work.reduce((sum, each) => sum + each, 0) / size - meanWork(workload))).toBeLessThan(1.5);
  });

  test('have the same work call by call at any load', () => {
    const [low, high] = [drawTrace(workload, 0.5, 1), drawTrace(workload, 1, 1)];
    expect(high.work.slice(0, 1000)).toEqual(low.work.slice(0, 1000));
  });

  test('of failing calls have their own sequence, and change nothing else', () => {
    const { luck: none, ...usual } = drawTrace(workload, 1, 1);
    const { luck, ...rest } = drawTrace({ ...workload, errors: 0.05 }, 1, 1);
    expect(rest).toEqual(usual);
    expect(none.every((each) => each > 0)).toBe(true);
    // 1000 of 20000 calls, with a standard deviation of 31.
    const share = luck.filter((each) => each === 0).length / usual.size;
    expect(Math.abs(share - 0.05)).toBeLessThan(0.01);
    const clients = randomFor(1, 'client');
    expect([...usual.who]).toEqual(Array.from(usual.who, () => clients()));
    const kinds = randomFor(1, 'method');
    expect([...usual.method]).toEqual(Array.from(usual.method, () => (kinds() < 0.75 ? 0 : 1)));
    const works = randomFor(1, 'work');
    expect([...usual.work]).toEqual(Array.from(usual.method, (kind) => workload.methods[kind]!.work.draw(works)));
  });
});
