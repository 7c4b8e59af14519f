import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { StrictClock } from '../../../../../../test/properties/strict-clock.js';
import { FakeClock } from '../../../../../../test/support/time/fake-clock.js';
import { type Counted, type CountedEndpoint, LAPSE_AFTER_MS, Ledger, Reservation } from './ledger.js';

/** A ledger over one endpoint and one connection. */
function setUp(clock = new FakeClock()) {
  const endpoint = { inFlight: 0, streams: 0 };
  const connection = { inFlight: 0 };
  const released: (readonly [number, number])[] = [];
  const ledger = new Ledger<CountedEndpoint, Counted>(clock, (e, c) => released.push([e.inFlight, c.inFlight]));
  const reserve = (): Reservation<CountedEndpoint, Counted> => new Reservation(ledger, endpoint, connection);
  return { clock, endpoint, connection, released, ledger, reserve };
}

describe('a reservation', () => {
  test('counts from the pick to the end, and reports when the counters have decreased', () => {
    const { endpoint, connection, released, reserve } = setUp();
    const first = reserve();
    const second = reserve();
    expect([endpoint.inFlight, connection.inFlight]).toEqual([2, 2]);
    first.start();
    expect([endpoint.inFlight, connection.inFlight]).toEqual([2, 2]);
    first.end();
    expect([endpoint.inFlight, connection.inFlight]).toEqual([1, 1]);
    second.end();
    expect(released).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  test('counts once, however often it is started and ended', () => {
    const { endpoint, released, reserve } = setUp();
    const reservation = reserve();
    reservation.start();
    reservation.start();
    expect(endpoint.inFlight).toBe(1);
    reservation.end();
    reservation.end();
    reservation.start();
    reservation.end();
    expect(endpoint.inFlight).toBe(0);
    expect(released).toHaveLength(1);
  });

  test('that is cancelled before its start stops counting, and a later start changes nothing', () => {
    const { clock, endpoint, released, reserve } = setUp();
    const reservation = reserve();
    reservation.end();
    reservation.start();
    expect(endpoint.inFlight).toBe(0);
    clock.advance(LAPSE_AFTER_MS);
    expect(endpoint.inFlight).toBe(0);
    expect(released).toHaveLength(1);
  });

  test('that is abandoned lapses a second after its pick, and not earlier', () => {
    const { clock, endpoint, connection, released, reserve } = setUp();
    reserve();
    clock.advance(300);
    reserve();
    clock.advance(LAPSE_AFTER_MS - 301);
    expect(endpoint.inFlight).toBe(2);
    clock.advance(1);
    expect(endpoint.inFlight).toBe(1);
    clock.advance(299);
    expect(endpoint.inFlight).toBe(1);
    clock.advance(1);
    expect([endpoint.inFlight, connection.inFlight]).toEqual([0, 0]);
    expect(released).toHaveLength(2);
  });

  test('of a stream never lapses: it counts as load until the stream closes', () => {
    const { clock, endpoint, reserve } = setUp();
    const stream = reserve();
    stream.start();
    clock.advance(86_400_000);
    expect(endpoint.inFlight).toBe(1);
    stream.end();
    expect(endpoint.inFlight).toBe(0);
  });

  test('that has started or ended does not lapse', () => {
    const { endpoint, released, reserve } = setUp();
    const call = reserve();
    call.start();
    call.lapse();
    expect(endpoint.inFlight).toBe(1);
    call.end();
    call.lapse();
    expect(endpoint.inFlight).toBe(0);
    expect(released).toHaveLength(1);
  });

  test('that starts after it has lapsed counts again, and its end is reported again', () => {
    const { clock, endpoint, connection, released, reserve } = setUp();
    const slowCredentials = reserve();
    clock.advance(LAPSE_AFTER_MS);
    expect(endpoint.inFlight).toBe(0);
    slowCredentials.start();
    slowCredentials.start();
    expect([endpoint.inFlight, connection.inFlight]).toEqual([1, 1]);
    clock.advance(LAPSE_AFTER_MS * 10);
    expect(endpoint.inFlight).toBe(1);
    slowCredentials.end();
    expect([endpoint.inFlight, connection.inFlight]).toEqual([0, 0]);
    expect(released).toHaveLength(2);
  });

  test('that has lapsed and then ends without a start is not released twice', () => {
    const { clock, endpoint, released, reserve } = setUp();
    const reservation = reserve();
    clock.advance(LAPSE_AFTER_MS);
    reservation.end();
    expect(endpoint.inFlight).toBe(0);
    expect(released).toHaveLength(1);
  });

  test('leaks nothing over 10,000 calls with a tenth cancelled before their start and a tenth abandoned', () => {
    const { clock, endpoint, connection, released, reserve } = setUp();
    for (let i = 0; i < 10_000; i++) {
      const call = reserve();
      if (i % 10 !== 0 && i % 10 !== 5) call.start();
      if (i % 10 !== 5) call.end();
      clock.advance(1);
    }
    // The abandoned calls of the last second, a tenth of all.
    expect(endpoint.inFlight).toBe(100);
    clock.advance(LAPSE_AFTER_MS);
    expect([endpoint.inFlight, connection.inFlight, released.length]).toEqual([0, 0, 10_000]);
  });
});

describe('the sweep', () => {
  test('uses one timer for all reservations, and stops it when all have started', () => {
    const { clock, reserve } = setUp();
    expect(clock.pendingTimers).toBe(0);
    const calls = Array.from({ length: 10 }, () => {
      clock.advance(50);
      return reserve();
    });
    expect([clock.pendingTimers, clock.nextIn]).toEqual([1, 550]);
    for (const call of calls) call.start();
    clock.advance(550);
    expect(clock.pendingTimers).toBe(0);
  });

  test('starts again with the next reservation', () => {
    const { clock, endpoint, reserve } = setUp();
    reserve();
    clock.advance(LAPSE_AFTER_MS);
    expect(clock.pendingTimers).toBe(0);
    reserve();
    expect([clock.pendingTimers, endpoint.inFlight]).toEqual([1, 1]);
    clock.advance(LAPSE_AFTER_MS);
    expect([clock.pendingTimers, endpoint.inFlight]).toEqual([0, 0]);
  });

  test('is not disturbed by the end of a stream that was picked long ago', () => {
    const { clock, endpoint, reserve } = setUp();
    const stream = reserve();
    stream.start();
    clock.advance(999);
    reserve();
    stream.end();
    clock.advance(999);
    expect(endpoint.inFlight).toBe(1);
    clock.advance(1);
    expect([endpoint.inFlight, clock.pendingTimers]).toEqual([0, 0]);
  });

  test('sweeps a pick made during a release when it is due', () => {
    const clock = new FakeClock();
    const endpoint = { inFlight: 0, streams: 0 };
    let waitingCalls = 2;
    const ledger: Ledger<CountedEndpoint, Counted> = new Ledger(clock, () => {
      if (waitingCalls-- > 0) new Reservation(ledger, endpoint, { inFlight: 0 });
    });
    new Reservation(ledger, endpoint, { inFlight: 0 });
    clock.advance(LAPSE_AFTER_MS);
    expect([endpoint.inFlight, clock.pendingTimers, clock.nextIn]).toEqual([1, 1, LAPSE_AFTER_MS]);
    clock.advance(LAPSE_AFTER_MS);
    expect(endpoint.inFlight).toBe(1);
    clock.advance(LAPSE_AFTER_MS);
    expect([endpoint.inFlight, clock.pendingTimers]).toEqual([0, 0]);
  });

  test('never sets a timer for the time at which it runs, whatever the rounding', () => {
    // 1000.3 − 1000 is less than 0.3: a sweep based on that would find nothing due, over and over.
    for (let tenths = 1; tenths < 1000; tenths++) {
      const { clock, endpoint, reserve } = setUp(new StrictClock(tenths / 10));
      reserve();
      clock.advance(0.7);
      reserve();
      clock.advance(LAPSE_AFTER_MS + 1);
      expect([endpoint.inFlight, clock.pendingTimers]).toEqual([0, 0]);
    }
  });

  test('stops its timer on close(); calls in flight still count until they end', () => {
    const { clock, endpoint, ledger, reserve } = setUp();
    const call = reserve();
    ledger.close();
    expect(clock.pendingTimers).toBe(0);
    clock.advance(LAPSE_AFTER_MS * 2);
    expect(endpoint.inFlight).toBe(1);
    call.start();
    call.end();
    expect(endpoint.inFlight).toBe(0);
    ledger.close();
  });
});

describe('memory', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;

  /** Picks calls, each before the previous one starts; returns how many the ledger still holds at the end. */
  async function heldAfter(calls: number): Promise<number> {
    const { clock, endpoint, reserve } = setUp();
    const seen: WeakRef<object>[] = [];
    let previous = reserve();
    for (let i = 0; i < calls; i++) {
      const next = reserve();
      seen.push(new WeakRef(previous));
      previous.start();
      previous.end();
      previous = next;
    }
    // A WeakRef keeps its object until the end of the turn that made it.
    await new Promise(setImmediate);
    collectGarbage();
    const held = seen.filter((ref) => ref.deref() !== undefined).length;
    expect(endpoint.inFlight).toBe(1);
    clock.advance(LAPSE_AFTER_MS);
    expect([endpoint.inFlight, clock.pendingTimers]).toEqual([0, 0]);
    return held;
  }

  test('does not hold calls that have started, even if there is always one that has not', async () => {
    // The ledger drops them in blocks of about a thousand to keep the cost low.
    expect(await heldAfter(5000)).toBeLessThan(1100);
  });

  test('holds no call as soon as all have started', async () => {
    const { ledger, reserve } = setUp();
    const seen = Array.from({ length: 1000 }, () => {
      const call = reserve();
      call.start();
      return new WeakRef(call);
    });
    reserve().start();
    await new Promise(setImmediate);
    collectGarbage();
    expect(seen.filter((ref) => ref.deref() !== undefined)).toEqual([]);
    ledger.close();
  });
});
