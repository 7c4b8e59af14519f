import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../../random.js';
import { OutageDials } from './outage-dials.js';

const INTERVAL = 500;

function outage(endpoints: number) {
  const clock = new FakeClock();
  const dials = new OutageDials(clock, seededRandom(1));
  const dialed = Array.from({ length: endpoints }, () => 0);
  const links = dialed.map((_, i) => ({ dialNow: () => void dialed[i]!++ }));
  const call = (): void => {
    if (dials.due) dials.dial(links, INTERVAL);
  };
  return { clock, dialed, call };
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

  it('dials many endpoints in turn, eight at a time', () => {
    const { clock, dialed, call } = outage(20);
    for (let i = 0; i < 5; i++) {
      call();
      clock.advance(INTERVAL * 1.3);
    }
    expect(dialed).toEqual(Array.from({ length: 20 }, () => 2));
  });

  it('dials nothing without endpoints', () => {
    const { dialed, call } = outage(0);
    call();
    expect(dialed).toEqual([]);
  });
});
