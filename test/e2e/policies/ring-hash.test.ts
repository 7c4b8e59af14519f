import { InterceptingCall, Metadata } from '@grpc/grpc-js';
import {
  GrpcLbClient,
  GrpcLbModule,
  GrpcLbOptionsError,
  GrpcLbRegistry,
  GrpcService,
  Retry,
  RingHash,
  ringHash,
  type RingHashOptions,
  roundRobin,
} from 'nestjs-grpc-lb';
import { firstValueFrom } from 'rxjs';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { describe, expect, it } from 'vitest';
import { BalancedClient, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';
import { echoOptions, type EchoService, type EchoStub, startApp, startError } from '../../support/nest/app.js';

expectNoLeaks();

const sessions = (n: number): string[] => Array.from({ length: n }, (_, i) => `session-${i}`);
const SESSIONS = sessions(60);

async function start(target: string, options: RingHashOptions) {
  @GrpcLbClient({ ...echoOptions(target), service: 'Echo', name: 'ECHO' })
  @RingHash(options)
  @Retry({ maxAttempts: 3, retryableStatusCodes: ['UNAVAILABLE'], initialBackoff: 1, maxBackoff: 1 })
  class EchoClient extends GrpcService<EchoService>() {}
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])] });
  const registry = app.get(GrpcLbRegistry);
  const ready = async (count: number): Promise<void> => {
    const states = (): string[] => registry.snapshot('ECHO').endpoints.map(({ state }) => state);
    while (states().filter((state) => state === 'ready').length !== count) await firstValueFrom(registry.events$);
  };
  return { registry, ready, echo: app.get<EchoStub>(EchoClient) };
}

type Say = (session: string) => Promise<string>;

const homesOf = async (say: Say, of = SESSIONS): Promise<string[]> => Promise.all(of.map(say));

function metadataOf(session: string): Metadata {
  const metadata = new Metadata();
  metadata.set('x-session-id', session);
  return metadata;
}

const WAYS: [string, RingHashOptions, (echo: EchoStub) => Say][] = [
  [
    'a metadata key',
    { by: 'x-session-id' },
    (echo) => async (session) => (await firstValueFrom(echo.say({}, metadataOf(session)))).server,
  ],
  [
    'a field of the request',
    { by: { field: 'text' } },
    (echo) => async (session) => (await firstValueFrom(echo.say({ text: session }))).server,
  ],
  [
    'a function of the request',
    { by: (request: { text: string }, _metadata, method) => `${request.text} ${method}` },
    (echo) => async (session) => (await firstValueFrom(echo.say({ text: session }))).server,
  ],
  [
    'a function of the metadata',
    { by: (_request, metadata) => metadata.get('x-session-id').join() },
    (echo) => async (session) => (await firstValueFrom(echo.say({}, metadataOf(session)))).server,
  ],
  [
    'a field, for a stream of answers',
    { by: { field: 'text' } },
    (echo) => async (session) => (await firstValueFrom(echo.repeat({ text: session, times: 1 }))).server,
  ],
];

describe.each(WAYS)('by %s', (_way, options, sayWith) => {
  it('a session keeps its backend, even when scaling up, and moves once when it leaves', async () => {
    const servers = await startBackends(4);
    const discovery = new ManualDiscovery(servers.slice(0, 3));
    const { echo, ready } = await start(discovery.target, options);
    const say = sayWith(echo);
    await ready(3);
    const first = await homesOf(say);
    expect(await homesOf(say)).toEqual(first);
    expect(new Set(first).size).toBe(3);

    discovery.set(servers);
    await ready(4);
    const second = await homesOf(say);
    const moved = second.filter((home, i) => home !== first[i]);
    expect(new Set(moved)).toEqual(new Set([servers[3]!.address]));

    await servers[1]!.stop();
    await ready(3);
    const third = await homesOf(say);
    const gone = servers[1]!.address;
    expect(third).not.toContain(gone);
    expect(third.filter((_, i) => second[i] !== gone)).toEqual(second.filter((home) => home !== gone));
    discovery.set(servers.filter((server) => server !== servers[1]));
    expect(await homesOf(say)).toEqual(third);
  });
});

/** A server whose calls always fail. */
function breakDown(server: FleetBackend): void {
  server.fail('UNAVAILABLE', { details: 'broken' });
}

describe('a session', () => {
  it('is one of at most a third that move when a backend joins three', async () => {
    const servers = await startBackends(4);
    const discovery = new ManualDiscovery(servers.slice(0, 3));
    const { echo, ready } = await start(discovery.target, { by: { field: 'text' } });
    const say: Say = async (session) => (await firstValueFrom(echo.say({ text: session }))).server;
    // Ports, and with them the hashes of addresses, differ from run to run. Of so many sessions a quarter moves, give or
    // take 1.8 %: a third is beyond 4.7 standard deviations.
    const many = sessions(600);
    await ready(3);
    const before = await homesOf(say, many);
    discovery.set(servers);
    await ready(4);
    const moved = (await homesOf(say, many)).filter((home, i) => home !== before[i]);
    expect(moved.length / many.length).toBeLessThanOrEqual(1 / 3);
    expect(moved.length).toBeGreaterThan(0);
  });

  it('returns when its backend is back', async () => {
    const servers = await startBackends(3);
    const { echo, ready } = await start(staticTarget(servers), { by: { field: 'text' } });
    const say: Say = async (session) => (await firstValueFrom(echo.say({ text: session }))).server;
    await ready(3);
    const before = await homesOf(say);
    await servers[0]!.stop();
    await ready(2);
    expect(await homesOf(say)).not.toContain(servers[0]!.address);
    await servers[0]!.restart();
    await ready(3);
    // At once: a backend in slow start gets all of its own sessions.
    expect(await homesOf(say)).toEqual(before);
  });

  it('retries a failed call elsewhere, and always on the same backend', async () => {
    const servers = await startBackends(4);
    const { echo, ready } = await start(staticTarget(servers), { by: { field: 'text' } });
    await ready(4);
    const say: Say = async (session) => (await firstValueFrom(echo.say({ text: session }))).server;
    const home = await say('me');
    const server = servers.find(({ address }) => address === home)!;
    breakDown(server);
    const elsewhere = await say('me');
    expect(elsewhere).not.toBe(home);
    expect([await say('me'), await say('me')]).toEqual([elsewhere, elsewhere]);
  });

  it('has the same backend in every client', async () => {
    const servers = await startBackends(4);
    const [one, other] = await Promise.all([
      start(staticTarget(servers), { by: { field: 'text' } }),
      start(staticTarget(servers.toReversed()), { by: 'x-session-id' }),
    ]);
    await Promise.all([one.ready(4), other.ready(4)]);
    expect(await homesOf(async (text) => (await firstValueFrom(one.echo.say({ text }))).server)).toEqual(
      await homesOf(async (session) => (await firstValueFrom(other.echo.say({}, metadataOf(session)))).server),
    );
  });
});

describe('calls', () => {
  it('do not send the key to the backend, nor leave it in the metadata of the caller', async () => {
    const [server] = await startBackends(1);
    const { echo } = await start(staticTarget([server!]), { by: { field: 'text' } });
    const metadata = new Metadata();
    let sent: Record<string, unknown> = {};
    const look = (options: object, nextCall: (options: never) => InterceptingCall): InterceptingCall =>
      new InterceptingCall(nextCall(options as never), {
        start: (md, listener, next) => {
          sent = md.getMap();
          next(md, listener);
        },
      });
    await firstValueFrom(echo.say({ text: 'secret' }, metadata, { interceptors: [look as never] }));
    expect(sent).toEqual({});
    expect(metadata.getMap()).toEqual({});
    expect(metadata.getOptions()).toEqual({});
  });

  it('without a key go to any backend', async () => {
    const servers = await startBackends(2);
    const { echo, ready } = await start(staticTarget(servers), { by: 'x-session-id' });
    await ready(2);
    await Promise.all(Array.from({ length: 60 }, () => firstValueFrom(echo.say({}))));
    expect(Math.min(...servers.map(({ calls }) => calls))).toBeGreaterThan(0);
  });

  it('whose key function throws fail with its error', async () => {
    const [server] = await startBackends(1);
    const by = (): string => {
      throw new RangeError('no key today');
    };
    const { echo } = await start(staticTarget([server!]), { by });
    await expect(firstValueFrom(echo.say({}))).rejects.toThrow(new RangeError('no key today'));
    expect(server!.calls).toBe(0);
  });
});

it('with bounded load no backend has more than 1.25 times the mean in flight, even if all calls have the same key', async () => {
  const servers = await startBackends(4);
  const { echo, ready, registry } = await start(staticTarget(servers), { by: { field: 'text' }, boundedLoad: 1.25 });
  await ready(4);
  for (const server of servers) server.hang();
  const calls = Array.from({ length: 100 }, () => firstValueFrom(echo.say({ text: 'the only one' })));
  await eventually(() => servers.reduce((sum, server) => sum + server.calls, 0) === 100);
  const inFlight = registry.snapshot('ECHO').endpoints.map((endpoint) => endpoint.inFlight);
  expect(inFlight.reduce((sum, each) => sum + each, 0)).toBe(100);
  // 1.25 times 25, rounded up.
  expect(Math.max(...inFlight)).toBe(32);
  for (const server of servers) server.recover();
  await Promise.all(calls);
});

describe('configuration', () => {
  it('may switch to ring hash while calls run, and explain shows it', async () => {
    const servers = await startBackends(3);
    const { echo, ready, registry } = await start(staticTarget(servers), { by: 'x-other' });
    await ready(3);
    registry.configure('ECHO', { policy: ringHash({ by: { field: 'text' }, boundedLoad: 2 }) });
    const say: Say = async (session) => (await firstValueFrom(echo.say({ text: session }))).server;
    expect(await homesOf(say)).toEqual(await homesOf(say));
    const { rule, endpoints } = registry.explain('ECHO');
    expect(rule).toContain('ring_hash: by the field text of the request, each key maps to one of 3 ready endpoints');
    expect(endpoints.reduce((sum, { chance }) => sum + chance, 0)).toBeCloseTo(1, 9);
    registry.configure('ECHO', { policy: roundRobin() });
    await homesOf(say);
  });

  it('rejects a field that no request has, with its path', async () => {
    const [server] = await startBackends(1);
    const options = echoOptions(staticTarget([server!]), {
      loadBalancing: { policy: ringHash({ by: { field: 'txt' } }) },
    });
    const error = await startError({
      imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([{ name: 'ECHO', options }])],
    });
    expect(error).toBeInstanceOf(GrpcLbOptionsError);
    expect(error.message).toContain(
      'loadBalancing.policy.by.field is "txt", but no request of the client\'s methods has "txt"; did you mean "text"?',
    );
  });

  it('rejects such a field at run time too, and for one method', async () => {
    const [server] = await startBackends(1);
    const { registry } = await start(staticTarget([server!]), { by: 'x-id' });
    const methods = { Say: { policy: ringHash({ by: { field: 'nothing.at.all' } }) } };
    expect(() => registry.configure('ECHO', { methods })).toThrow('loadBalancing.methods.Say.policy.by.field');
    // The requests of Talk come in a stream.
    expect(() =>
      registry.configure('ECHO', { methods: { Say: { policy: ringHash({ by: { field: 'times' } }) } } }),
    ).not.toThrow();
  });
});

it('without Nest, a metadata key is enough', async () => {
  const servers = await startBackends(3);
  const client = new BalancedClient({
    target: staticTarget(servers),
    loadBalancing: { policy: { name: 'ring_hash', by: 'user-agent-x' } },
  });
  try {
    await client.ready(3);
    const say = (key: string): Promise<string> => {
      const metadata = new Metadata();
      metadata.set('user-agent-x', key);
      return new Promise((resolve, reject) =>
        client.echo.Say({}, metadata, {}, (error, line) => (error ? reject(error) : resolve(line!.server))),
      );
    };
    expect(await homesOf(say)).toEqual(await homesOf(say));
  } finally {
    client.close();
  }
});
