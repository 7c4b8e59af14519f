import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { StrictClock } from '../../../../../../test/properties/strict-clock.js';
import { FakeClock } from '../../../../../../test/support/time/fake-clock.js';
import { type Counted, LAPSE_AFTER_MS, Ledger, Reservation } from './ledger.js';

/** A ledger over one endpoint and one connection. */
function setUp(clock = new FakeClock()) {
  const endpoint = { inFlight: 0 };
  const connection = { inFlight: 0 };
  const released: (readonly [number, number])[] = [];
  const ledger = new Ledger<Counted, Counted>(clock, (e, c) => released.push([e.inFlight, c.inFlight]));
  const reserve = (): Reservation<Counted, Counted> => new Reservation(ledger, endpoint, connection);
  return { clock, endpoint, connection, released, ledger, reserve };
}

describe('a reservation', () => {
  test('counts from the pick to the end, and tells when the counters have gone down', () => {
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

  test('cancelled before its start it counts no more, and a start that comes afterwards changes nothing', () => {
    const { clock, endpoint, released, reserve } = setUp();
    const reservation = reserve();
    reservation.end();
    reservation.start();
    expect(endpoint.inFlight).toBe(0);
    clock.advance(LAPSE_AFTER_MS);
    expect(endpoint.inFlight).toBe(0);
    expect(released).toHaveLength(1);
  });

  test('an abandoned one lapses a second after its pick, and no earlier', () => {
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

  test('a stream never lapses: it is load until it closes', () => {
    const { clock, endpoint, reserve } = setUp();
    const stream = reserve();
    stream.start();
    clock.advance(86_400_000);
    expect(endpoint.inFlight).toBe(1);
    stream.end();
    expect(endpoint.inFlight).toBe(0);
  });

  test('one that has started or ended does not lapse', () => {
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

  test('one that starts after it has lapsed counts again, and its end tells a second time', () => {
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

  test('one that has lapsed and then ends without a start does not count twice', () => {
    const { clock, endpoint, released, reserve } = setUp();
    const reservation = reserve();
    clock.advance(LAPSE_AFTER_MS);
    reservation.end();
    expect(endpoint.inFlight).toBe(0);
    expect(released).toHaveLength(1);
  });

  test('10,000 calls of which a tenth are cancelled before their start and a tenth abandoned leave nothing', () => {
    const { clock, endpoint, connection, released, reserve } = setUp();
    for (let i = 0; i < 10_000; i++) {
      const call = reserve();
      if (i % 10 !== 0 && i % 10 !== 5) call.start();
      if (i % 10 !== 5) call.end();
      clock.advance(1);
    }
    // The abandoned tenth of the last second's calls.
    expect(endpoint.inFlight).toBe(100);
    clock.advance(LAPSE_AFTER_MS);
    expect([endpoint.inFlight, connection.inFlight, released.length]).toEqual([0, 0, 10_000]);
  });
});

describe('the sweep', () => {
  test('one timer serves all reservations, and it goes when none is left unconfirmed', () => {
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

  test('it comes back with the next reservation', () => {
    const { clock, endpoint, reserve } = setUp();
    reserve();
    clock.advance(LAPSE_AFTER_MS);
    expect(clock.pendingTimers).toBe(0);
    reserve();
    expect([clock.pendingTimers, endpoint.inFlight]).toEqual([1, 1]);
    clock.advance(LAPSE_AFTER_MS);
    expect([clock.pendingTimers, endpoint.inFlight]).toEqual([0, 0]);
  });

  test('the end of a stream that was picked long ago does not disturb those that wait', () => {
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

  test('a pick that a release brings about is swept in its turn', () => {
    const clock = new FakeClock();
    const endpoint = { inFlight: 0 };
    let waitingCalls = 2;
    const ledger: Ledger<Counted, Counted> = new Ledger(clock, () => {
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

  test('it never sets a timer for the moment at which it runs, however the sum of two times is rounded', () => {
    // 1000.3 − 1000 is less than 0.3: a sweep that worked with that would find nothing due, over and over.
    for (let tenths = 1; tenths < 1000; tenths++) {
      const { clock, endpoint, reserve } = setUp(new StrictClock(tenths / 10));
      reserve();
      clock.advance(0.7);
      reserve();
      clock.advance(LAPSE_AFTER_MS + 1);
      expect([endpoint.inFlight, clock.pendingTimers]).toEqual([0, 0]);
    }
  });

  test('close() takes the timer away; what is still in flight stays counted until it ends', () => {
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

  /** Of so many calls, each picked before the one before it starts, those that the ledger still holds at the end. */
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

  test('calls that have started are let go of though there is always one that has not', async () => {
    // Dropped in blocks of a thousand or so, so that dropping costs little.
    expect(await heldAfter(5000)).toBeLessThan(1100);
  });

  test('calls that have started are let go of as soon as all have', async () => {
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
