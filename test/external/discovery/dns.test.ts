import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EndpointAnswer, EndpointSource } from '../../../libs/grpc-lb/src/core/endpoint-source.js';
import { addressToString, type Endpoint } from '../../../libs/grpc-lb/src/core/endpoint.js';
import { nodeResolver } from '../../../libs/grpc-lb/src/discovery/dns/resolver.js';
import { type DnsSourceOptions, dnsSourceFactory, parseTarget } from '../../../libs/grpc-lb/src/discovery/index.js';
import { systemClock } from '../../../libs/grpc-lb/src/grpc/context/system-clock.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { Stopwatch } from '../../support/time/stopwatch.js';
import { Knot, ZONE } from './knot.js';

expectNoLeaks();

/** Tolerance for a busy machine. */
const SLACK = 1000;
/** The interval for records without TTL. */
const QUICK: DnsSourceOptions = { minRefreshInterval: 100, refreshInterval: 300 };

interface Told {
  readonly endpoints: string[];
  readonly answer: EndpointAnswer;
}

/** A source that queries knot on the real clock, and records its reports. */
class Watch {
  readonly told: Told[] = [];
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  /** When each look-up began. */
  readonly asked: number[] = [];
  readonly #source: EndpointSource;
  readonly #stopwatch = new Stopwatch();
  #changed = (): void => {};

  constructor(uri: string, options: DnsSourceOptions = {}) {
    const factory = dnsSourceFactory({
      resolver: (servers, timeout) => {
        this.asked.push(performance.now());
        return nodeResolver(servers, timeout);
      },
      ...options,
    });
    this.#source = factory(parseTarget(uri), { clock: systemClock, random: Math.random });
    this.#source.start({
      onEndpoints: (endpoints, answer = {}) => {
        this.told.push({ endpoints: endpoints.map(textOf), answer });
        this.#changed();
      },
      onError: (error) => {
        this.errors.push(error.message);
        this.#changed();
      },
      onWarning: (warning) => {
        this.warnings.push(warning);
        this.#changed();
      },
    });
  }

  get last(): Told | undefined {
    return this.told.at(-1);
  }

  /** Milliseconds until the condition holds after a later report of the source, while this process runs. */
  async until(condition: () => boolean): Promise<number> {
    return this.#stopwatch.time(async () => {
      while (!condition()) await new Promise<void>((resolve) => (this.#changed = resolve));
    });
  }

  async untilList(...endpoints: readonly string[]): Promise<number> {
    const wanted = JSON.stringify(endpoints);
    return this.until(() => JSON.stringify(this.last?.endpoints) === wanted);
  }

  stop(): void {
    this.#source.stop();
  }
}

function textOf({ address, weight, priority }: Endpoint): string {
  return [addressToString(address), weight, priority].filter((part) => part !== undefined).join(';');
}

const watches: Watch[] = [];
function watch(uri: string, options?: DnsSourceOptions): Watch {
  const one = new Watch(uri, options);
  watches.push(one);
  return one;
}

let knot: Knot;

beforeAll(async () => {
  knot = await new Knot().start();
});

afterEach(() => {
  for (const each of watches.splice(0)) each.stop();
});

afterAll(() => knot.close());

describe('a name at knot', () => {
  const uri = (name: string): string => `dns://${knot.address}/${name}.${ZONE}:1`;

  test('each change of A and AAAA records is seen after the TTL', async () => {
    await knot.set('orders', 1, 'A', '127.0.0.2');
    const source = watch(uri('orders'));
    await source.untilList('127.0.0.2:1');
    const within = 1000 * 1.2 + SLACK;
    await knot.set('orders', 1, 'A', '127.0.0.2', '127.0.0.3', '127.0.0.4');
    expect(await source.untilList('127.0.0.2:1', '127.0.0.3:1', '127.0.0.4:1')).toBeLessThan(within);
    await knot.set('orders', 1, 'AAAA', '::1');
    expect(await source.untilList('127.0.0.2:1', '127.0.0.3:1', '127.0.0.4:1', '[::1]:1')).toBeLessThan(within);
    await knot.change(['orders', 1, 'A', '127.0.0.9'], ['orders', 1, 'AAAA']);
    expect(await source.untilList('127.0.0.9:1')).toBeLessThan(within);
    expect(source).toMatchObject({ errors: [], warnings: [] });
  });

  test('is queried again after the TTL and not before, and a changed TTL counts from the next answer', async () => {
    await knot.set('ttl', 1, 'A', '127.0.0.2');
    const source = watch(uri('ttl'));
    await source.until(() => source.told.length === 2);
    await knot.set('ttl', 2, 'A', '127.0.0.3');
    await source.until(() => source.told.length === 4);
    const [first, second, third] = source.asked.map((at, i, all) => at - (all[i - 1] ?? at)).slice(1) as number[];
    for (const pause of [first!, second!]) {
      expect(pause).toBeGreaterThan(995);
      expect(pause).toBeLessThan(1200 + SLACK);
    }
    expect(third).toBeGreaterThan(1995);
    expect(third).toBeLessThan(2400 + SLACK);
  });

  test('an alias is followed by the server', async () => {
    await knot.change(['real', 1, 'A', '127.0.0.7'], ['alias', 1, 'CNAME', `real.${ZONE}.`]);
    await watch(uri('alias')).untilList('127.0.0.7:1');
  });

  test('an answer that is too long for UDP arrives complete over TCP', async () => {
    const hosts = Array.from({ length: 120 }, (_, i) => `127.1.0.${i}`);
    await knot.set('many', 1, 'A', ...hosts);
    const source = watch(uri('many'));
    await source.until(() => source.told.length > 0);
    expect(source.last!.endpoints).toEqual(hosts.toSorted().map((host) => `${host}:1`));
  });

  test('an internationalized name is found', async () => {
    await knot.set('xn--bcher-kva', 1, 'A', '127.0.0.2');
    await watch(uri('bücher')).untilList('127.0.0.2:1');
  });

  test('a missing name is an error with the server in it, and is found when it is added', async () => {
    const source = watch(uri('late'), QUICK);
    await source.until(() => source.errors.length > 0);
    expect(source.errors[0]).toBe(
      `DNS lookup of "late.${ZONE}" at ${knot.address} failed: queryA ENOTFOUND late.${ZONE}`,
    );
    await knot.set('late', 1, 'A', '127.0.0.2');
    expect(await source.untilList('127.0.0.2:1')).toBeLessThan(300 * 1.2 + SLACK);
  });

  test('a dead server of two costs only time', async () => {
    await knot.set('two', 1, 'A', '127.0.0.2');
    const both = `dns://127.0.0.1:9,${knot.address}/two.${ZONE}:1`;
    await watch(both).untilList('127.0.0.2:1');
  });

  test('a restart of the server, stopped or hung, loses no list, and changes made meanwhile are found', async () => {
    await knot.set('restart', 1, 'A', '127.0.0.2');
    const source = watch(uri('restart'), { ...QUICK, timeout: 300 });
    await source.untilList('127.0.0.2:1');

    await knot.stop();
    await source.until(() => source.errors.length >= 2);
    expect(source.errors[0]).toContain('ECONNREFUSED');
    await knot.start();
    await knot.set('restart', 1, 'A', '127.0.0.3');
    expect(await source.untilList('127.0.0.3:1')).toBeLessThan(300 * 1.2 + SLACK);

    source.errors.length = 0;
    knot.freeze();
    await source.until(() => source.errors.length >= 2);
    expect(source.errors[0]).toMatch(/no answer within 300 ms|ETIMEOUT/);
    knot.thaw();
    await knot.set('restart', 1, 'A', '127.0.0.4');
    expect(await source.untilList('127.0.0.4:1')).toBeLessThan(300 * 1.2 + 1200 + SLACK);
    // The lists were never anything but those three.
    expect(new Set(source.told.map(({ endpoints }) => endpoints.join()))).toEqual(
      new Set(['127.0.0.2:1', '127.0.0.3:1', '127.0.0.4:1']),
    );
  });

  test('a source that is stopped while the server hangs leaves nothing open', async () => {
    knot.freeze();
    const source = watch(`dns+srv://${knot.address}/_grpc._tcp.any.${ZONE}`, { serviceConfig: true });
    await new Promise(setImmediate);
    source.stop();
    knot.thaw();
    expect(source).toMatchObject({ told: [], errors: [] });
    // expectNoLeaks at the top checks this too.
  });

  test('a service config arrives with the list, changes, and disappears', async () => {
    const json = (n: number): string => JSON.stringify(`grpc_config=[{"serviceConfig":{"n":${n}}}]`);
    await knot.change(['config', 1, 'A', '127.0.0.2'], ['_grpc_config.config', 1, 'TXT', json(1)]);
    const source = watch(uri('config'), { serviceConfig: true });
    const config = (): unknown => source.last?.answer.serviceConfig;
    await source.until(() => source.told.length > 0);
    expect(config()).toEqual({ n: 1 });
    await knot.set('_grpc_config.config', 1, 'TXT', json(2));
    await source.until(() => JSON.stringify(config()) === '{"n":2}');
    await knot.set('_grpc_config.config', 1, 'TXT', '"grpc_config=oops"');
    await source.until(() => source.warnings.length > 0);
    expect(source.warnings[0]).toBe(
      `TXT record of "_grpc_config.config.${ZONE}": grpc_config is "oops"; use a JSON list of choices`,
    );
    expect(config()).toEqual({ n: 2 });
    await knot.set('_grpc_config.config', 1, 'TXT');
    await source.until(() => config() === undefined);
    expect(source.errors).toEqual([]);
  });
});

describe('SRV records at knot', () => {
  const name = '_grpc._tcp.orders';
  const uri = (): string => `dns+srv://${knot.address}/${name}.${ZONE}`;

  test('each change of targets, ports, weights, priorities and addresses is seen after one interval', async () => {
    const within = 300 * 1.2 + SLACK;
    await knot.change(
      ['a', 60, 'A', '127.0.0.2'],
      ['b', 60, 'A', '127.0.0.3'],
      [name, 60, 'SRV', `10 5 50051 a.${ZONE}.`, `20 0 50052 b.${ZONE}.`],
    );
    const source = watch(uri(), QUICK);
    await source.untilList('127.0.0.2:50051;5;0', '127.0.0.3:50052;1;1');
    await knot.set(name, 60, 'SRV', `10 5 50051 a.${ZONE}.`, `10 15 50053 b.${ZONE}.`);
    expect(await source.untilList('127.0.0.3:50053;15;0', '127.0.0.2:50051;5;0')).toBeLessThan(within);
    await knot.change(['a', 60, 'A', '127.0.0.4', '127.0.0.5'], [name, 60, 'SRV', `0 8 50051 a.${ZONE}.`]);
    expect(await source.untilList('127.0.0.4:50051;8;0', '127.0.0.5:50051;8;0')).toBeLessThan(within);
    await knot.set('a', 60, 'A', '127.0.0.4');
    expect(await source.untilList('127.0.0.4:50051;8;0')).toBeLessThan(within);
    expect(source).toMatchObject({ errors: [], warnings: [] });
  });

  test('the target "." means that the service is not available', async () => {
    await knot.set(name, 60, 'SRV', '0 0 0 .');
    const source = watch(uri(), QUICK);
    await source.until(() => source.warnings.length > 0);
    expect(source.told[0]).toMatchObject({ endpoints: [], answer: { authoritative: true } });
  });

  test('eighty targets are all looked up', async () => {
    const names = Array.from({ length: 80 }, (_, i) => `t${i}`);
    await knot.change(...names.map((target, i) => [target, 60, 'A', `127.2.0.${i}`] as const), [
      name,
      60,
      'SRV',
      ...names.map((target) => `0 1 1 ${target}.${ZONE}.`),
    ]);
    const source = watch(uri());
    await source.until(() => source.told.length + source.errors.length > 0);
    expect(source.last!.endpoints).toHaveLength(80);
    expect(source).toMatchObject({ errors: [], warnings: [] });
  });
});
