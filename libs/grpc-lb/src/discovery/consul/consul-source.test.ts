import { afterEach, describe, expect, test } from 'vitest';
import { type AgentInstance, healthEntry } from '../../../../../test/support/discovery/consul-agent.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { addressToString } from '../../core/endpoint.js';
import type { ConsulAgent, ConsulAnswer, ConsulQuery } from './consul-agent.js';
import { type ConsulRules, ConsulSource } from './consul-source.js';

interface Query extends ConsulQuery {
  readonly at: number;
  readonly signal: AbortSignal;
  answer(
    index: bigint | undefined,
    ports: readonly number[],
    more?: Partial<ConsulAnswer> & Pick<AgentInstance, 'status'>,
  ): Promise<void>;
  fail(message: string): Promise<void>;
}

/** When every microtask has run. */
const drained = (): Promise<void> => new Promise(setImmediate);

/** A source on a virtual clock, over an agent that answers when the test says so. */
class Bench {
  readonly clock = new FakeClock();
  readonly queries: Query[] = [];
  /** All that the listener received, in order. */
  readonly told: unknown[] = [];
  random = 0.5;
  onTold = (): void => {};
  readonly source: ConsulSource;

  constructor(rules: Partial<ConsulRules> = {}) {
    const agent = { subject: 'Consul', ask: this.#ask };
    const all = { passing: true, near: undefined, zoneKey: 'zone', wait: 60_000, timeout: 10_000, ...rules };
    this.source = new ConsulSource(agent, all, { clock: this.clock, random: () => this.random });
  }

  start(): this {
    const tell = (what: unknown): void => {
      this.told.push(what);
      this.onTold();
    };
    this.source.start({
      onEndpoints: (endpoints, answer) =>
        tell([
          ...endpoints.map(({ address }) => addressToString(address)),
          ...(answer?.authoritative ? ['truly'] : []),
        ]),
      onError: (error) => tell(error.message),
      onWarning: (warning) => tell({ warning }),
    });
    expect(this.told).toEqual([]);
    return this;
  }

  get last(): Query {
    return this.queries.at(-1)!;
  }

  readonly #ask: ConsulAgent['ask'] = (query, onInstance, signal) =>
    new Promise<ConsulAnswer>((resolve, reject) => {
      this.queries.push({
        ...query,
        at: this.clock.now(),
        signal,
        answer: (index, ports, { status, ...more } = {}) => {
          for (const port of ports) onInstance(healthEntry('orders', { port, status }));
          resolve({ index, hidden: false, leaderless: false, ...more });
          return drained();
        },
        fail: (message) => {
          reject(new Error(message));
          return drained();
        },
      });
    });
}

const benches: Bench[] = [];
function bench(rules?: Partial<ConsulRules>): Bench {
  benches.push(new Bench(rules));
  return benches.at(-1)!.start();
}

afterEach(() => {
  for (const { source, clock } of benches.splice(0)) {
    source.stop();
    expect(clock.pendingTimers).toBe(0);
  }
});

describe('consul:', () => {
  test('starts with a non-blocking query, and then sends blocking queries', async () => {
    const { queries, told } = bench();
    await queries[0]!.answer(7n, [1, 2]);
    await queries[1]!.answer(9n, [2]);
    expect(queries.map(({ index, waitMs }) => [index, waitMs])).toEqual([
      [0n, 0],
      [7n, 60_000],
      [9n, 60_000],
    ]);
    expect(told).toEqual([['127.0.0.1:1', '127.0.0.1:2'], ['127.0.0.1:2']]);
  });

  test.each([
    [0, 54_000],
    [0.9999, 65_999],
  ])('the wait has 10 %% jitter: random %d gives %d ms', async (chance, waitMs) => {
    const run = bench();
    run.random = chance;
    await run.last.answer(7n, [1]);
    expect(run.last.waitMs).toBe(waitMs);
  });

  test('an index that goes backwards is reset to 0, and its answer is still used', async () => {
    const { queries, told } = bench();
    await queries[0]!.answer(7n, [1]);
    await queries[1]!.answer(3n, [2]);
    expect(queries[2]!.index).toBe(0n);
    expect(told.at(-1)).toEqual(['127.0.0.1:2']);
  });

  test('an index that goes backwards at a server without a leader is a failure: its list may be hours old', async () => {
    const { queries, told, clock } = bench();
    await queries[0]!.answer(7n, [1, 2]);
    await queries[1]!.answer(3n, [1, 3], { leaderless: true });
    expect(told).toEqual([
      ['127.0.0.1:1', '127.0.0.1:2'],
      'Consul: the answer is older than the one before, and the Consul server has no leader',
    ]);
    clock.advance(1000);
    expect(queries[2]!.index).toBe(0n);
    // A server without a leader that is not behind is as good as before.
    await queries[2]!.answer(7n, [1, 2], { leaderless: true });
    await queries[3]!.answer(3n, [4]);
    expect(told.slice(2)).toEqual([['127.0.0.1:1', '127.0.0.1:2'], ['127.0.0.1:4']]);
    await queries[4]!.answer(4n, [5], { leaderless: true });
    expect(told.at(-1)).toEqual(['127.0.0.1:5']);
  });

  test('an index of more than 53 bits stays exact', async () => {
    const { queries } = bench();
    await queries[0]!.answer(18_446_744_073_709_551_615n, [1]);
    expect(queries[1]!.index).toBe(18_446_744_073_709_551_615n);
  });

  test('an index of zero is replaced by 1', async () => {
    const { queries } = bench();
    await queries[0]!.answer(0n, [1]);
    expect(queries[1]).toMatchObject({ index: 1n, waitMs: 60_000 });
  });

  test('an agent that answers without an index is polled every 10 s, with a warning', async () => {
    const { queries, clock, told } = bench();
    await queries[0]!.answer(undefined, [1]);
    expect(told).toEqual([['127.0.0.1:1'], { warning: expect.stringContaining('without X-Consul-Index') }]);
    clock.advance(9999);
    expect(queries).toHaveLength(1);
    clock.advance(1);
    expect(queries[1]).toMatchObject({ index: 0n });
  });

  test.each([
    ['the same index', (): bigint => 7n],
    ['an index of zero', (): bigint => 0n],
    ['an index that goes back and forth', (i: number): bigint => (i % 2 === 0 ? 9n : 5n)],
    ['a new index', (i: number): bigint => BigInt(i + 1)],
  ])('an agent that answers at once with %s is queried once a second', async (_, index) => {
    const { queries, clock } = bench();
    for (let asked = 0; clock.now() < 100_000;) {
      if (queries.length > asked) await queries[asked]!.answer(index(asked++), [1]);
      else clock.advance(100);
    }
    expect(queries.length).toBeGreaterThan(100);
    expect(queries.length).toBeLessThanOrEqual(111);
  });

  test('ten changes in a row are seen without delay', async () => {
    const { queries, clock } = bench();
    clock.advance(5000);
    for (let i = 0; i < 9; i++) await queries[i]!.answer(BigInt(i + 1), [i + 1]);
    expect(queries.map(({ at }) => at)).toEqual([0, ...Array.from({ length: 9 }, () => 5000)]);
  });

  test('a failure is reported and retried without an index, with a backoff up to 10 s', async () => {
    const { queries, clock, told } = bench();
    await queries[0]!.answer(7n, [1]);
    for (let i = 0; i < 8; i++) {
      await queries.at(-1)!.fail('HTTP 500');
      clock.advance(clock.nextIn!);
    }
    expect(told).toEqual([['127.0.0.1:1'], ...Array.from({ length: 8 }, () => 'Consul: HTTP 500')]);
    const gaps = queries.slice(2).map(({ at }, i) => Math.round(at - queries[i + 1]!.at));
    expect(gaps).toEqual([1000, 1600, 2560, 4096, 6554, 10_000, 10_000, 10_000]);
    expect(queries.slice(2).every(({ index }) => index === 0n)).toBe(true);
    await queries.at(-1)!.answer(3n, [2]);
    expect(told.at(-1)).toEqual(['127.0.0.1:2']);
    // The backoff starts over.
    await queries.at(-1)!.fail('HTTP 500');
    expect(clock.nextIn).toBe(1000);
  });

  test('a silent agent times out after the wait, a sixteenth of it, and the timeout', async () => {
    const { queries, clock, told } = bench();
    clock.advance(9999);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(['Consul: no answer within 10000 ms']);
    expect(queries[0]!.signal.aborted).toBe(true);
    clock.advance(1000);
    await queries[1]!.answer(7n, [1]);
    clock.advance(60_000 * 1.0625 + 9999);
    expect(told).toHaveLength(2);
    clock.advance(1);
    expect(told[2]).toBe('Consul: no answer within 10000 ms after the wait of a blocking query');
    expect(queries[2]!.signal.aborted).toBe(true);
  });

  test('an answer after the timeout is ignored', async () => {
    const { queries, clock, told } = bench();
    clock.advance(10_000);
    await queries[0]!.answer(7n, [1]);
    expect(told).toEqual(['Consul: no answer within 10000 ms']);
  });

  describe('an empty list', () => {
    test('is authoritative once there have been instances', async () => {
      const { queries, told } = bench();
      await queries[0]!.answer(7n, [1]);
      await queries[1]!.answer(8n, []);
      expect(told.at(-1)).toEqual(['truly']);
    });

    test('at first is a failure, since the name may be misspelled', async () => {
      const { queries, told } = bench();
      await queries[0]!.answer(7n, []);
      expect(told).toEqual(['Consul: no matching instance is registered']);
      expect(queries[1]!.index).toBe(7n);
    });

    test('is a failure if the token lacks read access', async () => {
      const { queries, told } = bench();
      await queries[0]!.answer(7n, [1]);
      await queries[1]!.answer(8n, [], { hidden: true });
      expect(told.at(-1)).toBe(
        'Consul: the token may not read any instance; grant it service:read on the service, and node:read',
      );
    });

    test('is a failure if the server has no leader', async () => {
      const { queries, told } = bench();
      await queries[0]!.answer(7n, [1]);
      await queries[1]!.answer(8n, [], { leaderless: true });
      expect(told.at(-1)).toBe('Consul: the answer is empty, and the Consul server has no leader');
    });

    test('is a failure if all instances are unhealthy: a broken check must not take the service down', async () => {
      const { queries, told } = bench();
      await queries[0]!.answer(7n, [1, 2]);
      await queries[1]!.answer(8n, [1, 2], { status: 'critical' });
      expect(told.at(-1)).toBe('Consul: none of 2 instances passes its health checks');
      // Consul itself did not fail: the next query is a blocking one.
      expect(queries[2]!.index).toBe(8n);
    });
  });

  test('instances with invalid addresses cause a warning, and the others are used', async () => {
    const { queries, told } = bench();
    await queries[0]!.answer(7n, [1, 0, 2, 0, 70_000, 0]);
    expect(told).toEqual([
      ['127.0.0.1:1', '127.0.0.1:2'],
      {
        warning:
          'Consul: ignored instances: "orders-0": address is "127.0.0.1:0", and "0" is not a port; use a whole number from 1 to ' +
          '65535; "orders-0": address is "127.0.0.1:0", and "0" is not a port; use a whole number from 1 to 65535; ' +
          '"orders-70000": address is "127.0.0.1:70000", and "70000" is not a port; use a whole number from 1 to 65535; ' +
          'and 1 more',
      },
    ]);
  });

  describe('refresh', () => {
    test('replaces the blocking query by a non-blocking one, at most once a second', async () => {
      const { source, queries, clock } = bench();
      await queries[0]!.answer(7n, [1]);
      for (let i = 0; i < 50; i++) {
        source.refresh();
        clock.advance(100);
        const last = queries.at(-1)!;
        if (last.index === 0n) await last.answer(7n, [1]);
      }
      const refreshes = queries.filter(({ index }) => index === 0n).map(({ at }) => at);
      expect(refreshes).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
      expect(queries.filter(({ signal }) => !signal.aborted)).toHaveLength(1);
    });

    test('shortens a backoff', async () => {
      const { source, queries, clock } = bench();
      for (let i = 0; i < 5; i++) {
        await queries.at(-1)!.fail('HTTP 500');
        clock.advance(clock.nextIn!);
      }
      await queries.at(-1)!.fail('HTTP 500');
      source.refresh();
      source.refresh();
      expect(clock.pendingTimers).toBe(1);
      expect(clock.nextIn).toBe(1000);
    });

    test('does not postpone a query that is due sooner', async () => {
      const run = bench();
      run.random = 0;
      await run.last.fail('HTTP 500');
      run.clock.advance(100);
      run.source.refresh();
      run.source.refresh();
      expect(run.clock.nextIn).toBe(700);
    });

    test('does not interrupt a non-blocking query', () => {
      const { source, queries, clock } = bench();
      clock.advance(5000);
      source.refresh();
      expect(queries).toHaveLength(1);
      expect(queries[0]!.signal.aborted).toBe(false);
    });

    test('that is pending is dropped when its query is answered', async () => {
      const { source, queries, clock } = bench();
      await queries[0]!.answer(7n, [1]);
      source.refresh();
      await queries[1]!.answer(8n, [2]);
      clock.advance(2000);
      expect(queries).toHaveLength(3);
    });
  });

  describe('stop', () => {
    test('aborts the blocking query, and nothing is reported afterwards', async () => {
      const { source, queries, clock, told } = bench();
      await queries[0]!.answer(7n, [1]);
      source.refresh();
      source.stop();
      expect(queries[1]!.signal.aborted).toBe(true);
      expect(clock.pendingTimers).toBe(0);
      await queries[1]!.answer(8n, [2]);
      source.refresh();
      clock.advance(600_000);
      expect(queries).toHaveLength(2);
      expect(told).toHaveLength(1);
    });

    test('ends a backoff', async () => {
      const { source, queries, clock } = bench();
      await queries[0]!.fail('HTTP 500');
      source.stop();
      expect(clock.pendingTimers).toBe(0);
    });

    test.each(['stop', 'refresh'] as const)('%s may be called by the listener', async (method) => {
      const run = bench();
      run.onTold = () => run.source[method]();
      await run.queries[0]!.answer(undefined, [1, 0]);
      expect(run.told).toHaveLength(method === 'stop' ? 1 : 3);
      await run.last.fail('HTTP 500');
      run.clock.advance(1000);
      expect(run.clock.pendingTimers).toBe(method === 'stop' ? 0 : 1);
    });
  });
});
