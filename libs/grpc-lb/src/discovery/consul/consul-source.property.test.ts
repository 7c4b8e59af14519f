import { inspect, isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { healthEntry } from '../../../../../test/support/discovery/consul-agent.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { TcpAddress } from '../../core/endpoint.js';
import { seededRandom } from '../../core/random.js';
import type { ConsulAgent, ConsulAnswer, ConsulQuery } from './consul-agent.js';
import { ConsulSource } from './consul-source.js';

// A fixed seed keeps failures reproducible; set FAST_CHECK_SEED to try another one.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });

/** How the agent behaves from now on. */
const MODES = ['healthy', 'failing', 'silent', 'garbled', 'without index', 'zero index', 'never waiting'] as const;
type Mode = (typeof MODES)[number];

type Step =
  | { readonly kind: 'set'; readonly ports: readonly number[]; readonly ill: boolean }
  | { readonly kind: 'mode'; readonly mode: Mode }
  | { readonly kind: 'pass'; readonly ms: number }
  /** The index: moved without a change, or lost as in a restart, which ends queries or does not. */
  | { readonly kind: 'touch' | 'restore' | 'restart' | 'refresh' | 'rest' };

const ports = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), ports, ill: fc.boolean() }),
  fc.record({ kind: fc.constant('mode' as const), mode: fc.constantFrom(...MODES) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 5000 }) }),
  fc.record({ kind: fc.constantFrom('touch', 'restore', 'restart', 'refresh', 'rest') }),
);

/** What Consul does, as its documents say, on a virtual clock. */
class ModelAgent implements ConsulAgent {
  readonly subject = 'Consul';
  readonly clock = new FakeClock();
  mode: Mode = 'healthy';
  ports: readonly number[] = [];
  ill = false;
  index = 10n;
  asked: number[] = [];
  open = 0;
  readonly #waiting = new Set<() => void>();
  readonly #ends = new Set<(error: Error) => void>();

  ask(
    { index, waitMs }: ConsulQuery,
    onInstance: (instance: unknown) => void,
    signal: AbortSignal,
  ): Promise<ConsulAnswer> {
    this.asked.push(this.clock.now());
    this.open++;
    return new Promise<ConsulAnswer>((resolve, reject) => {
      const answer = (): void => {
        this.#waiting.delete(answer);
        if (this.mode === 'failing') reject(new Error('HTTP 500'));
        else if (this.mode === 'garbled') reject(new Error('the answer is {}, not a list'));
        else if (this.mode !== 'silent') resolve(this.#answer(onInstance));
      };
      signal.addEventListener('abort', () => reject(new Error('aborted')));
      this.#ends.add(reject);
      if (index === 0n || this.index > index || this.mode === 'never waiting') return answer();
      this.#waiting.add(answer);
      this.clock.after(waitMs, answer);
    }).finally(() => this.open--);
  }

  wake(): void {
    for (const answer of this.#waiting) answer();
  }

  cut(): void {
    for (const end of this.#ends) end(new Error('socket hang up'));
    this.#ends.clear();
    this.#waiting.clear();
  }

  #answer(onInstance: (instance: unknown) => void): ConsulAnswer {
    const status = this.ill ? 'critical' : 'passing';
    for (const port of this.ports) onInstance(healthEntry('orders', { port, status }));
    return {
      index: this.mode === 'without index' ? undefined : this.mode === 'zero index' ? 0n : this.index,
      hidden: false,
      leaderless: false,
    };
  }
}

/** Advances time, and runs whatever is due before advancing further. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (const end = clock.now() + ms; ;) {
    await new Promise(setImmediate);
    const next = Math.min(clock.nextIn ?? Infinity, end - clock.now());
    clock.advance(next);
    if (clock.now() >= end - 1e-6) break;
  }
  await new Promise(setImmediate);
}

test('whatever the agent does, the last good list stays, the list converges to the catalog, and the query rate is bounded', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.nat(), async (steps, seed) => {
      const agent = new ModelAgent();
      const rules = { passing: true, near: undefined, zoneKey: 'zone', wait: 60_000, timeout: 10_000 };
      const source = new ConsulSource(agent, rules, { clock: agent.clock, random: seededRandom(seed) });
      let list: number[] | undefined;
      const catalogs = new Set([JSON.stringify([])]);
      const violations: string[] = [];
      let calls = 0;
      source.start({
        onEndpoints: (endpoints) => {
          calls++;
          list = endpoints.map(({ address }) => (address as TcpAddress).port);
          if (!catalogs.has(JSON.stringify(list))) violations.push(`${inspect(list)} never was the catalog`);
        },
        onError: () => calls++,
        onWarning: () => calls++,
      });
      for (const next of [...steps, { kind: 'mode', mode: 'healthy' } as const, { kind: 'rest' } as const]) {
        if (next.kind === 'set') {
          agent.ports = next.ports;
          agent.ill = next.ill;
          agent.index++;
          catalogs.add(JSON.stringify(catalog(agent)));
          agent.wake();
        } else if (next.kind === 'mode') agent.mode = next.mode;
        else if (next.kind === 'pass') await pass(agent.clock, next.ms);
        else if (next.kind === 'refresh') source.refresh();
        else if (next.kind === 'rest') {
          const before = list;
          // One blocking query with both jitters, the timeout, and the longest backoff.
          await pass(agent.clock, 60_000 * 1.1 * 1.0625 + 10_000 + 12_000 + 1000);
          const answers = !['failing', 'silent', 'garbled'].includes(agent.mode);
          const known = agent.ports.length > 0 ? !agent.ill : before !== undefined && before.length > 0;
          const right = answers && known ? catalog(agent) : list;
          if (!isDeepStrictEqual(list, right)) violations.push(`${inspect(list)}, not ${inspect(right)}`);
        } else {
          agent.index = next.kind === 'touch' ? agent.index + 1n : 1n;
          if (next.kind === 'touch') agent.wake();
          if (next.kind === 'restart') agent.cut();
        }
        await new Promise(setImmediate);
        expect(agent.open).toBeLessThanOrEqual(1);
      }
      // A burst of ten, and one a second.
      for (const [i, at] of agent.asked.entries()) {
        expect(agent.asked.slice(i).filter((other) => other < at + 10_000 - 1e-6).length).toBeLessThanOrEqual(20);
      }
      source.stop();
      const before = calls;
      await pass(agent.clock, 100_000);
      expect({ calls, open: agent.open, violations }).toEqual({ calls: before, open: 0, violations: [] });
    }),
    { numRuns: 100 },
  );
});

/** Distinct addresses in sorted order; unhealthy instances do not count. */
function catalog({ ports: all, ill }: ModelAgent): number[] {
  return ill ? [] : [...new Set(all)].toSorted((a, b) => a - b);
}
