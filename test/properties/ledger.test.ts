import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Counted,
  type CountedEndpoint,
  LAPSE_AFTER_MS,
  Ledger,
  Reservation,
} from '../../libs/grpc-lb/src/core/balancing/calls/ledger.js';
import { check } from './check.js';
import { StrictClock } from './strict-clock.js';

type Step =
  | { readonly kind: 'reserve'; readonly endpoint: number; readonly connection: number }
  /** For any call so far, even one that has ended or lapsed. */
  | { readonly kind: 'start' | 'end' | 'last'; readonly which: number }
  | { readonly kind: 'advance'; readonly ms: number };

const PLACES = 3;
const place = fc.integer({ min: 0, max: PLACES - 1 });
const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: kind('reserve'), endpoint: place, connection: place }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('start'), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('end'), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('last'), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('advance'), ms: fc.integer({ min: 0, max: 1500 }) }) },
  // Fractions, as clocks have them, so that sums are rounded.
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('advance'), ms: fc.integer({ min: 1, max: 9999 }).map((n) => n / 10) }),
  },
);

/** The model of a call: states as in the design, without a queue and without a sweep. */
interface ModelCall {
  readonly endpoint: number;
  readonly connection: number;
  readonly reservedAt: number;
  /** Whether it is a stream that lasts. */
  lasts: boolean;
  state: 'reserved' | 'started' | 'lapsed' | 'ended';
}

class Run {
  readonly clock = new StrictClock();
  readonly endpoints = Array.from({ length: PLACES }, () => ({ inFlight: 0, streams: 0 }));
  readonly connections = Array.from({ length: PLACES }, () => ({ inFlight: 0 }));
  releases = 0;
  readonly ledger = new Ledger<CountedEndpoint, Counted>(this.clock, (endpoint, connection) => {
    this.releases++;
    if (endpoint.inFlight < 0 || endpoint.streams < 0 || connection.inFlight < 0)
      throw new Error('a counter is negative');
  });
  readonly #calls: { readonly real: Reservation<CountedEndpoint, Counted>; readonly model: ModelCall }[] = [];
  expectedReleases = 0;

  take(next: Step): void {
    if (next.kind === 'reserve') return this.#reserve(next.endpoint, next.connection);
    if (next.kind === 'advance') return this.#advance(next.ms);
    const call = this.#calls[next.which % this.#calls.length];
    if (!call) return;
    if (next.kind === 'last') {
      call.real.countAsStream();
      call.model.lasts = true;
      return;
    }
    call.real[next.kind]();
    if (next.kind === 'start') {
      if (call.model.state !== 'ended') call.model.state = 'started';
    } else {
      if (call.model.state === 'reserved' || call.model.state === 'started') this.expectedReleases++;
      call.model.state = 'ended';
    }
  }

  #reserve(endpoint: number, connection: number): void {
    const real = new Reservation(this.ledger, this.endpoints[endpoint]!, this.connections[connection]!);
    this.#calls.push({
      real,
      model: { endpoint, connection, reservedAt: this.clock.now(), lasts: false, state: 'reserved' },
    });
  }

  #advance(ms: number): void {
    this.clock.advance(ms);
    for (const { model } of this.#calls) {
      if (model.state !== 'reserved' || model.reservedAt + LAPSE_AFTER_MS > this.clock.now()) continue;
      model.state = 'lapsed';
      this.expectedReleases++;
    }
  }

  endAll(): void {
    this.#calls.forEach((_, which) => this.take({ kind: 'end', which }));
  }

  get unconfirmed(): number {
    return this.#calls.filter(({ model }) => model.state === 'reserved').length;
  }

  compare(): void {
    const counting = this.#calls
      .map(({ model }) => model)
      .filter(({ state }) => state === 'reserved' || state === 'started');
    const places = Array.from({ length: PLACES }, (_, i) => i);
    expect(this.endpoints).toEqual(
      places.map((at) => {
        const here = counting.filter(({ endpoint }) => endpoint === at);
        const streams = here.filter(({ lasts }) => lasts).length;
        return { inFlight: here.length - streams, streams };
      }),
    );
    expect(this.connections).toEqual(
      places.map((at) => ({ inFlight: counting.filter(({ connection }) => connection === at).length })),
    );
    expect(this.releases).toBe(this.expectedReleases);
    // While something may lapse there is one timer, within the time it has; else at most the last one, which finds nothing.
    if (this.unconfirmed > 0) expect(this.clock.pendingTimers).toBe(1);
    else expect(this.clock.pendingTimers).toBeLessThanOrEqual(1);
    // The difference of two times is rounded, too.
    expect(this.clock.nextIn ?? 0).toBeLessThanOrEqual(LAPSE_AFTER_MS + 1e-6);
  }
}

function play(steps: readonly Step[]): Run {
  const run = new Run();
  for (const next of steps) {
    run.take(next);
    run.compare();
  }
  return run;
}

const steps = fc.array(step, { maxLength: 50, size: 'max' });

test('whatever the order of picks, starts, ends and silence, the counters are those of the model and never negative', () => {
  check(
    fc.property(steps, (taken) => {
      play(taken);
    }),
    300,
  );
});

test('the counters are zero when all calls have ended', () => {
  check(
    fc.property(steps, (taken) => {
      const run = play(taken);
      run.endAll();
      run.compare();
      expect(run.endpoints.every(({ inFlight, streams }) => inFlight === 0 && streams === 0)).toBe(true);
      expect(run.connections.every(({ inFlight }) => inFlight === 0)).toBe(true);
    }),
  );
});

test('after a second without calls all reservations have lapsed and no timer is left', () => {
  check(
    fc.property(steps, (taken) => {
      const run = play(taken);
      run.take({ kind: 'advance', ms: LAPSE_AFTER_MS });
      run.compare();
      expect([run.unconfirmed, run.clock.pendingTimers]).toEqual([0, 0]);
    }),
  );
});

test('close() leaves no timer, and calls in flight still end', () => {
  check(
    fc.property(steps, (taken) => {
      const run = play(taken);
      run.ledger.close();
      expect(run.clock.pendingTimers).toBe(0);
      run.endAll();
      expect(run.endpoints.every(({ inFlight, streams }) => inFlight === 0 && streams === 0)).toBe(true);
      expect(run.connections.every(({ inFlight }) => inFlight === 0)).toBe(true);
    }),
  );
});
