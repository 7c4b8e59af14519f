import {
  type ClientSnapshot,
  GrpcLbModule,
  GrpcLbOptionsError,
  GrpcLbRegistry,
  type LbEvent,
  leastRequest,
  type LoadBalancingOptions,
  random,
  roundRobin,
} from 'nestjs-grpc-lb';
import { filter, first, firstValueFrom, mergeMap, range, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { answerBy, echoFleet } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';
import { echoClient, type EchoStub, startApp } from '../../support/nest/app.js';

expectNoLeaks();

/** An application with one client over `count` servers, all of them connected, and all that has happened so far. */
async function start(count: number, loadBalancing?: LoadBalancingOptions) {
  const fleet = await echoFleet(count);
  const servers = [...fleet];
  const EchoClient = echoClient(staticTarget(servers), { name: 'ECHO', loadBalancing });
  const events: LbEvent[] = [];
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])] });
  const registry = app.get(GrpcLbRegistry);
  registry.events$.subscribe((event) => events.push(event));
  while (readyCount(registry.snapshot(EchoClient)) < count) await firstValueFrom(registry.events$);
  return { app, fleet, servers, registry, events, EchoClient, echo: app.get(EchoClient) };
}

const readyCount = ({ endpoints }: ClientSnapshot): number => endpoints.filter(({ state }) => state === 'ready').length;

/** Events are emitted after the change that causes them. */
const told = (): Promise<void> => Promise.resolve();

const sayMany = (echo: EchoStub, count: number) =>
  firstValueFrom(
    range(0, count).pipe(
      mergeMap((i) => echo.say({ text: String(i) })),
      toArray(),
    ),
  );

describe('get', () => {
  it('finds a client by its name and by its class', async () => {
    const { registry, EchoClient } = await start(1);
    expect(registry.get('ECHO')).toBe(registry.get(EchoClient));
    expect(registry.get('ECHO').name).toBe('ECHO');
  });

  it('of an unknown client is an error with a hint', async () => {
    const { registry } = await start(1);
    expect(() => registry.get('ECKO')).toThrow(
      expect.objectContaining({
        code: 'GRPC_LB_INVALID_OPTIONS',
        message: expect.stringContaining(
          'client is "ECKO", which is not declared; did you mean "ECHO"?; the clients are ECHO; declare it with GrpcLbModule.forFeature',
        ),
      }),
    );
    for (const use of [() => registry.snapshot('X'), () => registry.explain('X'), () => registry.configure('X', {})]) {
      expect(use).toThrow('client is "X", which is not declared');
    }
  });

  it('of a class that a circular import leaves undefined is that error too', async () => {
    const { registry } = await start(1);
    const missing = undefined as unknown as string;
    for (const use of [() => registry.get(missing), () => registry.configure(missing, {})])
      expect(use).toThrow('client is "undefined", which is not declared; the clients are ECHO');
  });

  it('in an application without clients is an error that says so', async () => {
    const registry = (await startApp({ imports: [GrpcLbModule.forRoot()] })).get(GrpcLbRegistry);
    expect(registry.snapshot()).toEqual([]);
    expect(() => registry.get('X')).toThrow('no client is declared');
  });
});

describe('snapshot', () => {
  it('shows the effective options, including defaults, and the counters', async () => {
    const { registry, servers, echo } = await start(2, { policy: roundRobin(), pool: { size: 2 } });
    const before = Date.now() - 60_000;
    await sayMany(echo, 10);
    const snapshot = registry.snapshot('ECHO');
    expect(snapshot).toMatchObject({
      client: 'ECHO',
      target: staticTarget(servers),
      state: 'ready',
      loadBalancing: {
        policy: { name: 'round_robin' },
        pool: { size: 2, maxSize: 4, maxPending: 1000, connectTimeout: 5000 },
      },
      source: { kind: 'static', state: 'ok', error: null },
      inFlight: 0,
      pending: 0,
    });
    expect(snapshot.endpoints.map(({ address }) => address)).toEqual(servers.map(({ address }) => address));
    for (const endpoint of snapshot.endpoints) {
      expect(endpoint).toMatchObject({
        state: 'ready',
        reason: null,
        weight: 1,
        inFlight: 0,
        started: 5,
        succeeded: 5,
        failed: 0,
      });
      expect(endpoint.since).toBeGreaterThan(before);
    }
    expect(registry.snapshot()).toHaveLength(1);
    expect(JSON.parse(JSON.stringify(snapshot))).toMatchObject({ client: 'ECHO' });
  });

  it('counts a call while it runs', async () => {
    const { registry, servers, echo } = await start(1);
    servers[0]!.hang();
    const call = firstValueFrom(echo.say({}));
    await eventually(() => servers[0]!.inFlight === 1);
    expect(registry.snapshot('ECHO')).toMatchObject({
      inFlight: 1,
      endpoints: [{ inFlight: 1, started: 1, succeeded: 0 }],
    });
    servers[0]!.recover();
    await call;
    expect(registry.snapshot('ECHO')).toMatchObject({
      inFlight: 0,
      endpoints: [{ inFlight: 0, started: 1, succeeded: 1 }],
    });
  });
});

it('explain gives the rule, the outcome of the next call, and the chance of each endpoint', async () => {
  const { registry, servers } = await start(2, { policy: leastRequest() });
  expect(registry.explain('ECHO')).toEqual({
    client: 'ECHO',
    rule: 'least_request: the fewest calls in flight among all 2 ready endpoints; ties at random',
    next: 'is sent at once',
    endpoints: servers.map(({ address }) => ({ address, chance: 0.5, why: 'ready: 0 in flight, weight 1' })),
  });
  expect(registry.explain('ECHO')).toEqual(registry.get('ECHO').explain());
});

describe('configure', () => {
  it('applies a new policy, keeps connections, and emits an event', async () => {
    const { fleet, registry, servers, echo, events } = await start(2);
    await sayMany(echo, 4);
    registry.configure('ECHO', { policy: roundRobin() });
    expect(registry.snapshot('ECHO').loadBalancing!.policy).toEqual({ name: 'round_robin' });
    await told();
    expect(events.at(-1)).toMatchObject({ type: 'configured', client: 'ECHO' });
    fleet.clear();
    for (let i = 0; i < 10; i++) await firstValueFrom(echo.say({}));
    expect(servers.map(({ calls, connections }) => [calls, connections])).toEqual([
      [5, 1],
      [5, 1],
    ]);
  });

  it('replaces all options: omitted ones take their defaults', async () => {
    const { registry, EchoClient } = await start(1, { policy: random(), pool: { maxPending: 7 } });
    registry.configure(EchoClient, { pool: { maxSize: 9 } });
    expect(registry.snapshot('ECHO').loadBalancing).toMatchObject({
      policy: { name: 'least_request' },
      pool: { maxPending: 1000, maxSize: 9 },
    });
  });

  it('with invalid options reports all faults and keeps the old ones', async () => {
    const { registry, echo, events } = await start(1, { policy: random() });
    const before = events.length;
    const wrong = { policy: 'rondom', pool: { size: 0, maxSise: 1 } } as unknown as LoadBalancingOptions;
    expect(() => registry.configure('ECHO', wrong)).toThrow(GrpcLbOptionsError);
    expect(() => registry.configure('ECHO', wrong)).toThrow(
      /^client ECHO: 3 options are invalid\n {2}- loadBalancing\.policy is "rondom", which is not a known policy; did you mean "random"\?.*\n {2}- loadBalancing\.pool\.size is 0.*\n {2}- loadBalancing\.pool\.maxSise is not an option/,
    );
    for (const nothing of [null, undefined, 'random', []])
      expect(() => registry.configure('ECHO', nothing as never)).toThrow(GrpcLbOptionsError);
    expect(registry.snapshot('ECHO').loadBalancing!.policy).toEqual({ name: 'random' });
    await firstValueFrom(echo.say({}));
    expect(events.slice(before)).toEqual([]);
  });

  it('under load loses no call', async () => {
    const { registry, echo, servers } = await start(3);
    const policies = ['random', 'round_robin', 'pick_first', 'least_request'] as const;
    let answered = 0;
    servers.forEach((server) => {
      answerBy(server, async () => {
        await new Promise(setImmediate);
        if (answered++ % 20 === 0)
          registry.configure('ECHO', {
            policy: policies[((answered / 20) % 4) | 0]!,
            pool: { size: 1 + (answered % 3) },
          });
        return {};
      });
    });
    expect(
      await firstValueFrom(
        range(0, 400).pipe(
          mergeMap(() => echo.say({}), 20),
          toArray(),
        ),
      ),
    ).toHaveLength(400);
    expect(registry.snapshot('ECHO').inFlight).toBe(0);
  });
});

describe('events$', () => {
  it('shows how a client becomes ready, and how it loses an endpoint', async () => {
    const { registry, servers, events } = await start(1);
    const { address } = servers[0]!;
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['connection_opened', 'endpoint_state', 'client_state']),
    );
    expect(new Set(events.map(({ client }) => client))).toEqual(new Set(['ECHO']));
    const lost = firstValueFrom(
      registry.events$.pipe(filter((event) => event.type === 'client_state' && event.to === 'transient_failure')),
    );
    await servers[0]!.stop();
    expect(await lost).toMatchObject({ reason: expect.stringMatching(/^the only endpoint is not ready: ./) });
    expect(events).toContainEqual(expect.objectContaining({ type: 'connection_closed', address, client: 'ECHO' }));
    expect(events).toContainEqual(expect.objectContaining({ type: 'endpoint_state', address, from: 'ready' }));
  });

  it('is the same for all subscribers, and stops for those that unsubscribe', async () => {
    const { registry } = await start(1);
    const heard: string[] = [];
    const one = registry.events$.subscribe(({ type }) => heard.push(`first ${type}`));
    registry.events$.subscribe(({ type }) => heard.push(`second ${type}`));
    registry.configure('ECHO', {});
    await told();
    one.unsubscribe();
    registry.configure('ECHO', {});
    await told();
    expect(heard).toEqual(['first configured', 'second configured', 'second configured']);
  });

  it('may trigger a new configuration at once', async () => {
    const { registry, servers, echo } = await start(2, { policy: roundRobin() });
    const configured = firstValueFrom(registry.events$.pipe(filter(({ type }) => type === 'configured')));
    registry.events$
      .pipe(first((event) => event.type === 'endpoint_state' && event.from === 'ready'))
      .subscribe(({ client }) => registry.configure(client, { policy: random(), pool: { size: 2 } }));
    await servers[0]!.stop();
    await configured;
    expect(registry.snapshot('ECHO')).toMatchObject({
      state: 'ready',
      loadBalancing: { policy: { name: 'random' }, pool: { size: 2 } },
    });
    expect((await sayMany(echo, 10)).map(({ server }) => server)).toEqual(
      Array.from({ length: 10 }, () => servers[1]!.address),
    );
  });
});
