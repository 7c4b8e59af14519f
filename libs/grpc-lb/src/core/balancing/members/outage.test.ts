import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../../test/support/time/fake-clock.js';
import { Outage } from './outage.js';

function setUp() {
  const clock = new FakeClock();
  return { clock, outage: new Outage(clock) };
}

describe('an outage', () => {
  test('is over with the first endpoint that connects', () => {
    const { clock, outage } = setUp();
    outage.begin();
    clock.advance(20_000);
    expect([outage.end(), outage.end()]).toEqual([true, false]);
    clock.advance(300);
    expect(outage.past).toBe(300);
  });

  test('lasts from the first time that none was connected', () => {
    const { clock, outage } = setUp();
    outage.begin();
    clock.advance(900);
    outage.begin();
    clock.advance(100);
    expect(outage.end()).toBe(true);
  });

  test.each([
    ['before the first connection', () => {}],
    ['of less than a second', (outage: Outage) => outage.begin()],
  ])('there is none %s', (_, begin) => {
    const { clock, outage } = setUp();
    begin(outage);
    clock.advance(999);
    expect(outage.end()).toBe(false);
    expect(outage.past).toBe(Infinity);
  });
});
