import { type ClientSnapshot, GrpcLbModule, GrpcLbRegistry, type LoadBalancingOptions, ringHash } from 'nestjs-grpc-lb';
import { filter, firstValueFrom, map, mergeMap, range, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, type EchoStub, startApp } from '../../support/nest/app.js';

expectNoLeaks();

async function start(count: number, loadBalancing?: LoadBalancingOptions) {
  const servers = await startBackends(count);
  const EchoClient = echoClient(staticTarget(servers), { name: 'ECHO', loadBalancing });
  const options = { loadBalancing: { pool: { maxSize: 7 } }, overrides: { ECHO: { loadBalancing: { retry: {} } } } };
  const app = await startApp({ imports: [GrpcLbModule.forRoot(options), GrpcLbModule.forFeature([EchoClient])] });
  const registry = app.get(GrpcLbRegistry);
  const addresses = servers.map(({ address }) => address);
  /** Waits until the states of the endpoints are these. */
  const until = async (...states: readonly string[]): Promise<void> => {
    const now = (): string =>
      registry
        .snapshot(EchoClient)
        .endpoints.map(({ state }) => state)
        .join();
    while (now() !== states.join()) await firstValueFrom(registry.events$);
  };
  await until(...servers.map(() => 'ready'));
  return { registry, addresses, until, echo: app.get<EchoStub>(EchoClient), snapshot: () => registry.snapshot('ECHO') };
}

/** Which servers answer twenty calls, one after the other. */
const answering = (echo: EchoStub): Promise<Set<string>> =>
  firstValueFrom(
    range(0, 20).pipe(
      mergeMap(() => echo.say({ text: 'x' }), 1),
      map(({ server }) => server),
      toArray(),
      map((all) => new Set(all)),
    ),
  );

const connectionsOf = ({ endpoints }: ClientSnapshot, address: string): number[] =>
  endpoints.find((each) => each.address === address)!.connections.map(({ id }) => id);

describe('eject', () => {
  it('gives an endpoint no calls for a time, and then again', async () => {
    const { registry, addresses, echo, until, snapshot } = await start(3);
    registry.eject('ECHO', addresses[0]!, 300);
    expect(snapshot().endpoints[0]).toMatchObject({ state: 'ejected', reason: 'ejected by hand for 0.3 s' });
    const answers = new Set<string>();
    // Fewer calls on a machine that is too busy for so many in this time.
    for (let i = 0; i < 20 && snapshot().endpoints[0]!.state === 'ejected'; i++)
      answers.add((await firstValueFrom(echo.say({ text: 'x' }))).server);
    expect([...answers]).not.toContain(addresses[0]);
    await until('ready', 'ready', 'ready');
    // It returns slowly, and without a probe.
    expect(snapshot().endpoints[0]!.warmth).toBeLessThan(1);
  });

  it('is ended by restore', async () => {
    const { registry, addresses, snapshot } = await start(2);
    registry.eject('ECHO', addresses[1]!, 3_600_000);
    registry.restore('ECHO', addresses[1]!);
    expect(snapshot().endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
    expect(() => registry.restore('ECHO', addresses[1]!)).toThrow(/there is nothing to restore/);
  });

  it('outlives a change of options that ends other ejections', async () => {
    const { registry, addresses, snapshot } = await start(2);
    registry.eject('ECHO', addresses[0]!, 3_600_000);
    registry.configure('ECHO', { ejection: { enabled: false } });
    expect(snapshot().endpoints[0]!.state).toBe('ejected');
  });

  it.each([0, -1, Number.NaN, 1e12])('for %d ms is an error', async (durationMs) => {
    const { registry, addresses } = await start(1);
    expect(() => registry.eject('ECHO', addresses[0]!, durationMs)).toThrow(
      expect.objectContaining({ code: 'GRPC_LB_INVALID_ARGUMENT', message: expect.stringContaining('durationMs') }),
    );
  });
});

describe('drain', () => {
  it('takes an endpoint out of use without losing its call, until it is restored', async () => {
    const { registry, addresses, echo, until, snapshot } = await start(2);
    const stream = firstValueFrom(echo.repeat({ text: 'x', times: 3 }).pipe(toArray()));
    registry.drain('ECHO', addresses[0]!);
    expect(snapshot().drained).toEqual([addresses[0]]);
    expect(await answering(echo)).toEqual(new Set([addresses[1]]));
    expect(await stream).toHaveLength(3);
    await until('ready');
    registry.restore('ECHO', addresses[0]!);
    expect(snapshot()).not.toHaveProperty('drained');
    await until('ready', 'ready');
  });

  it('of the last endpoint is an error', async () => {
    const { registry, addresses, snapshot } = await start(2);
    registry.drain('ECHO', addresses[0]!);
    expect(() => registry.drain('ECHO', addresses[1]!)).toThrow(/is the last endpoint in use/);
    expect(snapshot().drained).toEqual([addresses[0]]);
  });

  it('of an address without an endpoint names those that there are', async () => {
    const { registry, addresses } = await start(1);
    expect(() => registry.drain('ECHO', '10.0.0.1:1')).toThrow(
      `client ECHO: no endpoint is in use at "10.0.0.1:1"; those in use are ${addresses[0]}`,
    );
  });
});

it('recycle replaces the connections of an endpoint, each when its successor is ready', async () => {
  const { registry, addresses, echo, snapshot } = await start(2);
  const before = connectionsOf(snapshot(), addresses[0]!);
  const closed = firstValueFrom(
    registry.events$.pipe(filter((event) => event.type === 'connection_closed' && event.connection === before[0])),
  );
  registry.recycle('ECHO', addresses[0]!);
  expect(snapshot().endpoints[0]!.state).toBe('ready');
  expect(await closed).toMatchObject({ reason: 'retired: recycled' });
  const after = connectionsOf(snapshot(), addresses[0]!);
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
  expect(snapshot().endpoints[0]!.state).toBe('ready');
  expect((await answering(echo)).size).toBe(2);
});

it('origins tells where each option comes from, and configure() changes it', async () => {
  const { registry } = await start(1, { policy: 'round_robin' });
  const origins = () => Object.fromEntries(registry.origins('ECHO').map(({ path, origin }) => [path, origin]));
  expect(origins()).toMatchObject({
    policy: 'client',
    'pool.maxSize': 'module',
    'pool.size': 'default',
    'ejection.window': 'default',
  });
  registry.configure('ECHO', { pool: { size: 2 } });
  expect(origins()).toMatchObject({ policy: 'default', 'pool.maxSize': 'default', 'pool.size': 'configure' });
});

describe('adjust', () => {
  it('changes some options, and keeps the others and their origins', async () => {
    const { registry, snapshot } = await start(1, { policy: 'round_robin', retry: { maxAttempts: 2 } });
    registry.adjust('ECHO', { pool: { size: 2 } });
    registry.adjust('ECHO', { policy: 'random' });
    expect(snapshot().loadBalancing).toMatchObject({
      policy: { name: 'random' },
      pool: { size: 2, maxSize: 7 },
      retry: { maxAttempts: 2 },
    });
    const origins = Object.fromEntries(registry.origins('ECHO').map(({ path, origin }) => [path, origin]));
    expect(origins).toMatchObject({
      policy: 'configure',
      'pool.size': 'configure',
      'pool.maxSize': 'module',
      'retry.maxAttempts': 'client',
    });
    // What else configures the client replaces everything.
    registry.configure('ECHO', { policy: 'random' });
    registry.adjust('ECHO', { pool: { maxSize: 5 } });
    expect(snapshot().loadBalancing).toMatchObject({ policy: { name: 'random' }, pool: { size: 1, maxSize: 5 } });
    expect(snapshot().loadBalancing!.retry).not.toHaveProperty('maxAttempts', 2);
  });

  it('with a fault changes nothing', async () => {
    const { registry, snapshot } = await start(1);
    const before = snapshot().loadBalancing;
    expect(() => registry.adjust('ECHO', { pool: { size: 0 } })).toThrow(/loadBalancing\.pool\.size/);
    expect(snapshot().loadBalancing).toEqual(before);
    registry.adjust('ECHO', { policy: 'random' });
    expect(snapshot().loadBalancing).toMatchObject({ policy: { name: 'random' }, pool: { size: 1 } });
  });
});

describe('explain', () => {
  it('of a method and a key tells where that call goes', async () => {
    const { registry, addresses } = await start(3, { methods: { Say: { policy: ringHash({ by: 'x-session' }) } } });
    const call = { method: 'Say', key: 'session-7' };
    const chances = registry.explain('ECHO', call).endpoints.map(({ chance }) => chance);
    expect(chances.toSorted((a, b) => a - b)).toEqual([0, 0, 1]);
    expect(registry.explain('ECHO', call).rule).toContain('ring_hash');
    const byPath = registry.explain('ECHO', { ...call, method: '/echo.v1.Echo/Say' });
    expect(byPath.endpoints.map(({ chance }) => chance)).toEqual(chances);
    // Other methods do not have that policy, and other keys have other homes.
    expect(registry.explain('ECHO', { method: 'Repeat', key: 'session-7' }).rule).toContain('least_request');
    const homes = Array.from({ length: 50 }, (_, i) =>
      registry
        .explain('ECHO', { method: 'Say', key: `session-${i}` })
        .endpoints.findIndex(({ chance }) => chance === 1),
    );
    expect(new Set(homes)).toEqual(new Set(addresses.keys()));
  });

  it('of a method that does not exist names those that do', async () => {
    const { registry } = await start(1);
    expect(() => registry.explain('ECHO', { method: 'Sya' })).toThrow(
      /client ECHO: "Sya" is not a method of its services; did you mean "Say"\?/,
    );
  });
});
