import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../random.js';
import { type Lingered, Lingering, LONGEST_MS } from './lingering.js';

const endpoint = (): Lingered => ({ inFlight: 0, lingering: 0 });

test('a call counts while it is held, to within 10 ms, and not afterwards', () => {
  const clock = new FakeClock();
  const lingering = new Lingering<Lingered>(clock);
  const endpoints = [endpoint(), endpoint()];
  const random = seededRandom(1);
  const held: { of: Lingered; until: number }[] = [];
  for (let i = 0; i < 2000; i++) {
    const of = endpoints[Math.floor(random() * 2)]!;
    const milliseconds = random() * 300;
    lingering.hold(of, milliseconds);
    held.push({ of, until: clock.now() + milliseconds });
    clock.advance(Math.floor(random() * 5));
    for (const each of endpoints) {
      const still = (now: number): number => held.filter(({ of: one, until }) => one === each && until > now).length;
      expect(each.lingering).toBeGreaterThanOrEqual(still(clock.now()));
      expect(each.lingering).toBeLessThanOrEqual(still(clock.now() - 10));
      expect(each.inFlight).toBe(each.lingering);
    }
  }
  clock.advance(400);
  expect(endpoints).toEqual([endpoint(), endpoint()]);
  expect(clock.pendingTimers).toBe(0);
});

test('a call that took longer than usual, or without a usual duration, is not held; none is held for more than a minute', () => {
  const clock = new FakeClock();
  const lingering = new Lingering<Lingered>(clock);
  const one = endpoint();
  for (const milliseconds of [0, -5, NaN]) lingering.hold(one, milliseconds);
  expect(clock.pendingTimers).toBe(0);
  lingering.hold(one, Infinity);
  clock.advance(LONGEST_MS + 10);
  expect(one).toEqual(endpoint());
});

test('nothing is left after close(), whatever ends later', () => {
  const clock = new FakeClock();
  const lingering = new Lingering<Lingered>(clock);
  const one = endpoint();
  for (let i = 0; i < 10; i++) lingering.hold(one, 50 * i);
  lingering.close();
  // A call that was in flight ends later.
  lingering.hold(one, 50);
  expect(one).toEqual(endpoint());
  expect(clock.pendingTimers).toBe(0);
});
