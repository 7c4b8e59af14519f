import { expect, it } from 'vitest';
import { FakeClock } from './fake-clock.js';

it('never goes back when a callback advances the clock itself', () => {
  const clock = new FakeClock();
  const times: number[] = [];
  clock.after(10, () => clock.advance(100));
  clock.after(20, () => times.push(clock.now()));
  clock.advance(30);
  times.push(clock.now());
  clock.after(10, () => times.push(clock.now()));
  clock.advance(10);
  expect(times).toEqual([20, 110, 120]);
});
