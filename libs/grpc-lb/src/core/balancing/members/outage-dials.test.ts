import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../../random.js';
import { OutageDials } from './outage-dials.js';

const INTERVAL = 500;

function outage(endpoints: number, interval = INTERVAL) {
  const clock = new FakeClock();
  const dials = new OutageDials(clock, seededRandom(1));
  const dialed = Array.from({ length: endpoints }, () => 0);
  const links = dialed.map((_, i) => ({ dialNow: () => void dialed[i]!++, usable: false }));
  const call = (): void => {
    if (dials.due) dials.dial(links, interval);
  };
  return { clock, dialed, links, dials, call };
}

describe('OutageDials', () => {
  it('dials every endpoint of a few at the first call that fails, and not again for a while', () => {
    const { clock, dialed, call } = outage(3);
    for (let i = 0; i < 100; i++) call();
    expect(dialed).toEqual([1, 1, 1]);
    clock.advance(INTERVAL * 0.7);
    call();
    expect(dialed).toEqual([1, 1, 1]);
    clock.advance(INTERVAL * 0.6);
    call();
    expect(dialed).toEqual([2, 2, 2]);
  });

  it.each([0, 0.5])('dials every 40 ms at most if it is asked to do so every %s ms, also afterwards', (interval) => {
    const { clock, dialed, links, dials, call } = outage(2, interval);
    for (let i = 0; i < 1000; i++) {
      call();
      clock.advance(1);
    }
    expect(dialed[0]).toBeGreaterThanOrEqual(16);
    expect(dialed[0]).toBeLessThanOrEqual(25);
    links[0]!.usable = true;
    const before = dialed[1]!;
    dials.goOn(() => links);
    clock.advance(1000);
    expect(dialed[1]! - before).toBeGreaterThanOrEqual(16);
    expect(dialed[1]! - before).toBeLessThanOrEqual(25);
  });

  it('dials many endpoints in turn, eight at a time', () => {
    const { clock, dialed, call } = outage(20);
    for (let i = 0; i < 5; i++) {
      call();
      clock.advance(INTERVAL * 1.3);
    }
    expect(dialed).toEqual(Array.from({ length: 20 }, () => 2));
  });

  it('goes on with those that are not back for 30 s, at the same pace', () => {
    const { clock, dialed, links, dials, call } = outage(3);
    call();
    links[0]!.usable = true;
    dials.goOn(() => links);
    clock.advance(5000);
    const [first, second, third] = dialed;
    expect(first).toBe(1);
    expect(second).toBeGreaterThanOrEqual(1 + Math.floor(5000 / (INTERVAL * 1.2)));
    expect(second).toBeLessThanOrEqual(1 + Math.ceil(5000 / (INTERVAL * 0.8)));
    expect(third).toBe(second);
    links[1]!.usable = true;
    clock.advance(600_000);
    expect(dialed[1]).toBe(second);
    expect(dialed[2]).toBeGreaterThan(1 + 30_000 / (INTERVAL * 1.2) - 2);
    expect(dialed[2]).toBeLessThan(1 + 30_000 / (INTERVAL * 0.8) + 1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops when all are back, or it is closed, and dials none early if no call has failed', () => {
    for (const end of ['back', 'closed', 'no call'] as const) {
      const { clock, dialed, links, dials, call } = outage(2);
      if (end !== 'no call') call();
      const before = [...dialed];
      dials.goOn(() => links);
      if (end === 'closed') dials.close();
      if (end === 'back') for (const link of links) link.usable = true;
      clock.advance(60_000);
      expect({ end, dialed, timers: clock.pendingTimers }).toEqual({ end, dialed: before, timers: 0 });
    }
  });

  it('dials nothing without endpoints', () => {
    const { dialed, call } = outage(0);
    call();
    expect(dialed).toEqual([]);
  });
});
