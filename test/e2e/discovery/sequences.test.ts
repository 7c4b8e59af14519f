import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { describe, expect, test } from 'vitest';
import { type Random, randomBelow, seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import type { EndpointSnapshot } from '../../../libs/grpc-lb/src/core/snapshot.js';
import { BalancedClient, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';

expectNoLeaks();

const SEEDS = (process.env['SEEDS'] ?? '1 2 3').split(' ').map(Number);

let servers: FleetBackend[] = [];
let client: BalancedClient;

/** What a source may do, each with the list that should be in use afterwards. */
type Change = (discovery: ManualDiscovery, current: readonly FleetBackend[], random: Random) => readonly FleetBackend[];

const drawn = <T>(random: Random, from: readonly T[]): T => from[randomBelow(random, from.length)]!;

function named(discovery: ManualDiscovery, list: readonly FleetBackend[]): readonly FleetBackend[] {
  discovery.set(list);
  return list;
}

const CHANGES: Readonly<Record<string, Change>> = {
  scaleUp(discovery, current, random) {
    const others = servers.filter((server) => !current.includes(server));
    return others.length === 0 ? current : named(discovery, [...current, drawn(random, others)]);
  },
  scaleDown(discovery, current, random) {
    const leaver = drawn(random, current);
    return current.length === 1
      ? current
      : named(
          discovery,
          current.filter((server) => server !== leaver),
        );
  },
  replaceAll(discovery, current) {
    const others = servers.filter((server) => !current.includes(server));
    return others.length === 0 ? current : named(discovery, others);
  },
  anything(discovery, _current, random) {
    const some = servers.filter(() => random() < 0.5);
    return named(discovery, some.length === 0 ? [drawn(random, servers)] : some);
  },
  reorder(discovery, current) {
    return named(discovery, current.toReversed());
  },
  repeat(discovery, current) {
    return named(discovery, [...current, ...current]) && current;
  },
  flap(discovery, current, random) {
    for (let i = 0; i < 20; i++) named(discovery, [drawn(random, servers)]);
    return named(discovery, current);
  },
  empty(discovery, current) {
    discovery.set([]);
    return current;
  },
  fail(discovery, current) {
    discovery.fail('the registry is being restarted');
    return current;
  },
  garbage(discovery, current) {
    discovery.setEndpoints([{ address: { host: '', port: 0 } }, null as never]);
    return current;
  },
};

const addresses = (list: readonly FleetBackend[]): string[] => list.map(({ address }) => address);
const inUse = (): string[] =>
  client.snapshot.endpoints.filter(({ state }) => state !== 'draining').map(({ address }) => address);
/** No call is in flight there but the stream. */
const idle = ({ address, inFlight }: EndpointSnapshot, streamsOn: string): boolean =>
  inFlight === (address === streamsOn ? 1 : 0);
/** The pool is that list, in its order, and all of it is ready. */
const settledOn = (list: readonly FleetBackend[]): boolean =>
  inUse().join() === addresses(list).join() && addresses(list).every((address) => client.states[address] === 'ready');

describe.each(SEEDS)('with seed %i', (seed) => {
  test('whatever discovery sends, no call fails, and the pool is the last good list', async () => {
    const random = seededRandom(seed);
    servers = await startBackends(6);
    for (const server of servers) server.slow(() => 20 * random());
    let current: readonly FleetBackend[] = servers.slice(0, 3);
    const discovery = new ManualDiscovery(current);
    client = await new BalancedClient({ target: discovery.target }).ready(3);
    const load = new SteadyLoad(() => client.say(), 300);
    const { stream, server } = await client.openStream();
    // A change of order causes no event, so it is checked after each call.
    const settle = (): Promise<void> => load.until(() => settledOn(current) || load.failures.length > 0);
    for (let step = 0; step < 40; step++) {
      const name = drawn(random, Object.keys(CHANGES));
      current = CHANGES[name]!(discovery, current, random);
      // Some changes arrive before the previous one has been applied.
      if (random() < 0.3) continue;
      await settle();
      await load.run(5);
    }
    await settle();
    // Calls that were picked before may still be in transit to a removed server.
    await load.until(() => client.snapshot.endpoints.every((each) => each.state !== 'draining' || idle(each, server)));
    const before = servers.map(({ calls }) => calls);
    await load.run(20);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(inUse()).toEqual(addresses(current));
    // Removed servers have got no call since.
    const late = servers.filter((each, i) => !current.includes(each) && each.calls !== before[i]);
    expect(addresses(late)).toEqual([]);
    // The stream has outlived everything, on the server on which it began.
    expect(client.snapshot.endpoints.find(({ address }) => address === server)!.inFlight).toBe(1);
    const ended = new Promise((resolve) => stream.once('error', resolve));
    stream.cancel();
    await ended;
    await client.until(() => client.snapshot.endpoints.length === current.length);
    expect(client.snapshot.inFlight).toBe(0);
  });
});
