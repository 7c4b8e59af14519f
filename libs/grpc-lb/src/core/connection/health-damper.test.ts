import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { HealthDamper } from './health-damper.js';

function damper() {
  const clock = new FakeClock();
  const told: string[] = [];
  return { clock, told, damper: new HealthDamper(clock, (health, reason) => told.push(reason ?? health)) };
}

test('the first changes are reported at once, and repeated states are not reported', () => {
  const { told, damper: health } = damper();
  for (let i = 0; i < 3; i++) health.answer('serving', null);
  for (let i = 0; i < 3; i++) health.answer('not_serving', 'ill');
  health.answer('serving', null);
  expect(told).toEqual(['serving', 'ill', 'serving']);
});

test('of a server that flaps two changes a second are reported, and it counts as not serving meanwhile', () => {
  const { clock, told, damper: health } = damper();
  for (let i = 0; i < 10_000; i++) {
    health.answer(i % 2 === 0 ? 'serving' : 'not_serving', i % 2 === 0 ? null : 'ill');
    clock.advance(1);
  }
  // A burst of five recoveries, and one in each of ten seconds, each with its end.
  expect(told.length).toBeLessThanOrEqual(2 * (5 + 10));
  expect(told.at(-1)).toBe('ill');
});

test('the last state is eventually reported', () => {
  const { clock, told, damper: health } = damper();
  for (let i = 0; i < 20; i++) {
    health.answer('serving', null);
    health.answer('not_serving', 'ill');
  }
  health.answer('serving', null);
  expect(told.at(-1)).toBe('ill');
  clock.advance(1000);
  expect(told.at(-1)).toBe('serving');
  expect(clock.pendingTimers).toBe(0);
});

test('changed reasons for the same bad health are limited like recoveries', () => {
  const { told, damper: health } = damper();
  for (let i = 0; i < 100; i++) health.answer('not_serving', `ill ${i}`);
  expect(told).toHaveLength(1 + 5);
  health.stop();
});
