import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type HealthCheck, HealthPoller, passed } from './health-check.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const options = { interval: 1000, timeout: 100, failureThreshold: 2 };

function poll(check: HealthCheck, random = (): number => 0.5): { told: [boolean, string][]; poller: HealthPoller } {
  const told: [boolean, string][] = [];
  const poller = new HealthPoller([check], options, (...each) => told.push(each), random);
  poller.start();
  return { told, poller };
}

test('the first result counts at once, good or bad; later a failure counts when it is repeated', async () => {
  let healthy = false;
  const { told, poller } = poll(() => healthy);
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual([[false, 'it returned false']]);
  healthy = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(told.at(-1)).toEqual([true, '']);
  healthy = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(told).toHaveLength(2);
  healthy = true;
  await vi.advanceTimersByTimeAsync(1000);
  healthy = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(told).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1000);
  expect(told).toHaveLength(3);
  poller.stop();
});

test('a check that takes too long has failed, its signal is aborted, and no second one runs beside it', async () => {
  let [running, most] = [0, 0];
  const check: HealthCheck = (signal) =>
    new Promise((resolve) => {
      most = Math.max(most, ++running);
      signal.addEventListener('abort', () => resolve(running--));
    });
  const { told, poller } = poll(check);
  await vi.advanceTimersByTimeAsync(100);
  expect(told).toEqual([[false, 'no answer within 100 ms']]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(most).toBe(1);
  poller.stop();
});

test('a check fails whatever it throws, and runs again', async () => {
  let fails = true;
  const { told, poller } = poll(() => (fails ? Promise.reject(Object.create(null) as Error) : true));
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual([[false, 'an error without a message']]);
  fails = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(told.at(-1)).toEqual([true, '']);
  poller.stop();
});

test('the interval has jitter of ± 20 %', async () => {
  for (const [random, at] of [
    [0, 800],
    [1, 1200],
  ] as const) {
    let calls = 0;
    const { poller } = poll(
      () => calls++,
      () => random,
    );
    await vi.advanceTimersByTimeAsync(at - 1);
    expect(calls).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toBe(2);
    poller.stop();
  }
});

test('a stopped poller reports nothing more and leaves no timer', async () => {
  let answer!: (healthy: boolean) => void;
  const { told, poller } = poll(() => new Promise((resolve) => (answer = resolve)));
  poller.stop();
  answer(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('Terminus results are interpreted by their status', () => {
  expect(passed({ database: { status: 'up' } })).toBe(true);
  expect(passed({ database: { status: 'down', message: 'no route' } })).toBe(false);
  expect(passed({ status: 'ok', details: { database: { status: 'up' } } })).toBe(true);
  expect(passed({ status: 'error', details: {} })).toBe(false);
  expect(passed({ status: 'shutting_down' })).toBe(false);
});

test('of other results only false is a failure', () => {
  for (const result of [undefined, null, true, 0, '', [], {}]) expect(passed(result)).toBe(true);
  expect(passed(false)).toBe(false);
});

test('the reason of a long result is cut, as it goes to the log', async () => {
  const { told, poller } = poll(() => ({ database: { status: 'down', message: 'x'.repeat(10_000) } }));
  await vi.advanceTimersByTimeAsync(0);
  const [[healthy, reason]] = told as [[boolean, string]];
  expect([healthy, reason.length, reason]).toEqual([
    false,
    500,
    expect.stringMatching(/^it returned \{"database":\{"status":"down".*\.\.\. \(\d+ characters\)$/),
  ]);
  poller.stop();
});
