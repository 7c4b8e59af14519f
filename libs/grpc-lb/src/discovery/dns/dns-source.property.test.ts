import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../../core/random.js';
import { dnsSourceFactory } from '../index.js';
import { parseTarget } from '../target.js';

// A fixed seed keeps failures reproducible; set FAST_CHECK_SEED to try another one.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });

type Step =
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'refresh' }
  /** The resolver settles one of the queries that hang: an answer, which may be empty, or an error. */
  | { readonly kind: 'settle'; readonly which: number; readonly addresses: readonly string[] | undefined };

const address = fc.integer({ min: 1, max: 5 }).map((n) => `10.0.0.${n}`);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 13_000 }) }),
  fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 900 }) }),
  fc.record({ kind: fc.constant('refresh' as const) }),
  fc.record({
    kind: fc.constant('settle' as const),
    which: fc.nat(),
    addresses: fc.option(fc.array(address, { maxLength: 6 }), { nil: undefined }),
  }),
);

interface Query {
  readonly at: number;
  readonly settle: (addresses: readonly string[] | undefined) => void;
}

const TIMEOUT = 15_000;

/** A source under a script, beside a model that only knows when queries began and how they ended. */
class Run {
  readonly clock = new FakeClock();
  readonly #source;
  /** What must never happen, and did. Thrown inside the look-up it would pass for a failed look-up. */
  readonly violations: string[] = [];
  /** How often the listener was called, and its last list of hosts. */
  calls = 0;
  told: readonly string[] | undefined;
  /** What the model expects of that list. */
  lastGood: readonly string[] | undefined;
  queries = 0;
  /** Those that have not been settled, the abandoned ones included. */
  #hanging: Query[] = [];
  #latest: Query | undefined;
  #settled = true;

  constructor(seed: number) {
    const context = { clock: this.clock, random: seededRandom(seed) };
    this.#source = dnsSourceFactory({ lookup: this.#lookup, kubernetesServiceHost: false })(
      parseTarget('dns:///orders:1'),
      context,
    );
    this.#source.start({
      onEndpoints: (endpoints) => {
        this.told = endpoints.map((endpoint) => ('host' in endpoint.address ? endpoint.address.host : ''));
        this.calls++;
      },
      onError: () => this.calls++,
      onWarning: () => this.calls++,
    });
    if (this.calls > 0) this.violations.push('told before start had returned');
  }

  async take(next: Step): Promise<void> {
    if (next.kind === 'advance') this.clock.advance(next.ms);
    else if (next.kind === 'refresh') this.#source.refresh();
    else await this.#settle(next.which, next.addresses);
  }

  /** Stops the source, and then does everything that might wake it again. */
  async stop(): Promise<void> {
    this.#source.stop();
    if (this.clock.pendingTimers > 0) this.violations.push('a timer is left');
    this.#source.refresh();
    for (const query of this.#hanging) query.settle(['10.0.0.9']);
    await new Promise(setImmediate);
    this.clock.advance(60_000);
  }

  readonly #lookup = (): Promise<{ address: string; family: number }[]> => {
    const at = this.clock.now();
    // Jitter makes fractions of a millisecond, and adding those up rounds.
    if (this.#latest && at - this.#latest.at < 1000 - 1e-6) this.violations.push(`${this.#latest.at} and again ${at}`);
    if (this.#inFlight()) this.violations.push(`two in flight at ${at}`);
    this.queries++;
    return new Promise((resolve, reject) => {
      const settle: Query['settle'] = (addresses) =>
        addresses ? resolve(addresses.map((host) => ({ address: host, family: 4 }))) : reject(new Error('refused'));
      this.#latest = { at, settle };
      this.#settled = false;
      this.#hanging.push(this.#latest);
    });
  };

  async #settle(which: number, addresses: readonly string[] | undefined): Promise<void> {
    const query = this.#hanging[which % this.#hanging.length];
    if (!query) return;
    if (query === this.#latest && this.#inFlight()) {
      this.#settled = true;
      if (addresses && addresses.length > 0) this.lastGood = [...new Set(addresses)].toSorted();
    }
    this.#hanging = this.#hanging.filter((other) => other !== query);
    query.settle(addresses);
    await new Promise(setImmediate);
  }

  /** A query that was abandoned after the timeout is no longer in flight, though the resolver may still work on it. */
  #inFlight(): boolean {
    return this.#latest !== undefined && !this.#settled && this.clock.now() < this.#latest.at + TIMEOUT;
  }
}

test('whatever happens, the last good answer stays, queries are sequential and a second apart, and stop is final', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
      const run = new Run(seed);
      for (const next of steps) {
        await run.take(next);
        expect(run.told).toEqual(run.lastGood);
        // A query is in flight, for as long as that may take, or starts within the interval and its jitter.
        expect(run.clock.pendingTimers).toBe(1);
        expect(run.clock.nextIn).toBeLessThanOrEqual(Math.max(12_000, TIMEOUT));
      }
      const { calls, queries } = run;
      await run.stop();
      expect(run).toMatchObject({ calls, queries, violations: [] });
    }),
    { numRuns: 300 },
  );
});
