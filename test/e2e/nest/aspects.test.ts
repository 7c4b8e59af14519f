import { status as Status } from '@grpc/grpc-js';
import type { Type } from '@nestjs/common';
import {
  type ClientSnapshot,
  Deadline,
  deadline,
  GrpcLbClient,
  GrpcLbModule,
  type GrpcLbModuleOptions,
  GrpcLbOptionsError,
  GrpcLbRegistry,
  GrpcService,
  HealthCheck,
  healthCheck,
  Hedge,
  hedge,
  OutlierEjection,
  outlierEjection,
  Retry,
  retry,
  RoundRobin,
  roundRobin,
  SlowStart,
  slowStart,
} from 'nestjs-grpc-lb';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoOptions, type EchoService, type EchoStub, errorOf, startApp, startError } from '../../support/nest/app.js';
import { failure, ScriptedBackend } from '../../support/nest/backend.js';

expectNoLeaks();

async function start(EchoClient: Type<EchoStub>, options?: GrpcLbModuleOptions) {
  const app = await startApp({ imports: [GrpcLbModule.forRoot(options), GrpcLbModule.forFeature([EchoClient])] });
  const registry = app.get(GrpcLbRegistry);
  return { registry, echo: app.get(EchoClient), until: untilOf(registry) };
}

/** Waits until the snapshot of the client ECHO matches. */
function untilOf(registry: GrpcLbRegistry) {
  return async (condition: (snapshot: ClientSnapshot) => boolean): Promise<void> => {
    while (!condition(registry.snapshot('ECHO'))) await firstValueFrom(registry.events$);
  };
}

const states = ({ endpoints }: ClientSnapshot): string => endpoints.map(({ state }) => state).join(' ');

async function say(echo: EchoStub, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await firstValueFrom(echo.say({})).catch(() => {});
}

describe('@HealthCheck', () => {
  it('leaves out an endpoint whose configured service does not serve', async () => {
    const servers = await startBackends(3, { health: true });
    @GrpcLbClient({ ...echoOptions(staticTarget(servers)), service: 'Echo', name: 'ECHO' })
    @HealthCheck({ service: 'echo.v1.Echo' })
    @RoundRobin()
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo, until } = await start(EchoClient);
    await until((snapshot) => states(snapshot) === 'ready ready ready');
    servers[1]!.setHealth('NOT_SERVING', 'echo.v1.Echo');
    await until((snapshot) => states(snapshot) === 'ready not_serving ready');
    await say(echo, 6);
    expect(servers.map(({ calls }) => calls)).toEqual([3, 0, 3]);
  });

  it('turned off watches no endpoint', async () => {
    const servers = await startBackends(1, { health: true });
    servers[0]!.setHealth('NOT_SERVING', '');
    @GrpcLbClient({ ...echoOptions(staticTarget(servers)), service: 'Echo', name: 'ECHO' })
    @HealthCheck({ enabled: false })
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo, registry } = await start(EchoClient);
    await firstValueFrom(echo.say({}));
    expect(states(registry.snapshot('ECHO'))).toBe('ready');
  });
});

describe('@OutlierEjection', () => {
  it('ejects by its rules', async () => {
    const servers = await startBackends(2);
    servers[0]!.fail('NOT_FOUND');
    @GrpcLbClient({ ...echoOptions(staticTarget(servers)), service: 'Echo', name: 'ECHO' })
    @OutlierEjection({ consecutiveFailures: 2, failureCodes: ['NOT_FOUND'] })
    @RoundRobin()
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo, registry, until } = await start(EchoClient);
    await until((snapshot) => states(snapshot) === 'ready ready');
    await say(echo, 10);
    expect(servers[0]!.calls).toBe(2);
    expect(registry.snapshot('ECHO').endpoints[0]).toMatchObject({ state: 'ejected', reason: '2 failures in a row' });
  });

  it('turned off ejects no endpoint', async () => {
    const servers = await startBackends(2);
    servers[0]!.fail('UNAVAILABLE');
    @GrpcLbClient({ ...echoOptions(staticTarget(servers)), service: 'Echo', name: 'ECHO' })
    @OutlierEjection({ enabled: false })
    @RoundRobin()
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo, until } = await start(EchoClient);
    await until((snapshot) => states(snapshot) === 'ready ready');
    await say(echo, 20);
    expect(servers.map(({ calls }) => calls)).toEqual([10, 10]);
  });
});

describe('@SlowStart', () => {
  it.each([
    ['begins with its least share', { window: 3_600_000, minShare: 0.25 }, 0.25],
    ['turned off gives the full share at once', { enabled: false }, 1],
  ])('for one that comes back %s', async (_, options, warmth) => {
    const servers = await startBackends(2);
    @GrpcLbClient({ ...echoOptions(staticTarget(servers)), service: 'Echo', name: 'ECHO' })
    @SlowStart(options)
    class EchoClient extends GrpcService<EchoService>() {}
    const { registry, until } = await start(EchoClient);
    await until((snapshot) => states(snapshot) === 'ready ready');
    await Promise.all([servers[0]!.cut(), until((snapshot) => states(snapshot) !== 'ready ready')]);
    await until((snapshot) => states(snapshot) === 'ready ready');
    expect(registry.snapshot('ECHO').endpoints.map((endpoint) => endpoint.warmth)).toEqual([warmth, 1]);
  });
});

describe('@Retry', () => {
  /** A backend that fails a number of times before it answers. */
  function failing(times: number, code = Status.UNAVAILABLE, trailers = {}): Promise<ScriptedBackend> {
    let calls = 0;
    return new ScriptedBackend({
      say: (call, done) => (calls++ < times ? done(failure(code, 'not yet', trailers)) : done(null, call.request)),
    }).start();
  }

  it('retries a call that failed with a configured status', async () => {
    const backend = await failing(2, Status.ABORTED);
    @GrpcLbClient({ ...echoOptions(backend.target), service: 'Echo', name: 'ECHO' })
    @Retry({ maxAttempts: 3, initialBackoff: 1, retryableStatusCodes: ['ABORTED'] })
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo } = await start(EchoClient);
    expect(await firstValueFrom(echo.say({ text: 'x' }))).toMatchObject({ text: 'x' });
    expect(backend.seen.map(({ metadata }) => metadata.get('grpc-previous-rpc-attempts'))).toEqual([[], ['1'], ['2']]);
  });

  it('without options tries UNAVAILABLE three times', async () => {
    const backend = await failing(9);
    @GrpcLbClient({ ...echoOptions(backend.target), service: 'Echo', name: 'ECHO' })
    @Retry()
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo } = await start(EchoClient);
    expect(await errorOf(echo.say({}))).toMatchObject({ code: Status.UNAVAILABLE });
    expect(backend.seen).toHaveLength(3);
  });

  it('skips a method that is set to false', async () => {
    const backend = await failing(9);
    @GrpcLbClient({ ...echoOptions(backend.target), service: 'Echo', name: 'ECHO' })
    @Retry({ initialBackoff: 1, methods: { Say: false } })
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo } = await start(EchoClient);
    await errorOf(echo.say({}));
    expect(backend.seen).toHaveLength(1);
  });

  it('may be set for single methods only: one attempt means no retry', async () => {
    const backend = await failing(1);
    @GrpcLbClient({ ...echoOptions(backend.target), service: 'Echo', name: 'ECHO' })
    @Retry({ initialBackoff: 1, maxAttempts: 1, methods: { Say: { maxAttempts: 2 } } })
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo, registry } = await start(EchoClient);
    await firstValueFrom(echo.say({}));
    expect(backend.seen).toHaveLength(2);
    registry.configure('ECHO', { retry: retry({ maxAttempts: 1 }) });
    backend.script.say = (_call, done) => done(failure(Status.UNAVAILABLE, 'again'));
    await errorOf(echo.say({}));
    expect(backend.seen).toHaveLength(3);
  });

  it('may be off for one client if forRoot turns it on', async () => {
    const backend = await failing(9);
    @GrpcLbClient({ ...echoOptions(backend.target), service: 'Echo', name: 'ECHO' })
    @Retry({ maxAttempts: 1 })
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo } = await start(EchoClient, {
      loadBalancing: { retry: retry({ maxAttempts: 5, initialBackoff: 1 }) },
    });
    await errorOf(echo.say({}));
    expect(backend.seen).toHaveLength(1);
  });

  it('stops when the server says so (pushback), and when too many calls fail (throttling)', async () => {
    const pushing = await failing(9, Status.UNAVAILABLE, { 'grpc-retry-pushback-ms': '-1' });
    @GrpcLbClient({ ...echoOptions(pushing.target), service: 'Echo', name: 'ECHO' })
    @Retry({ maxAttempts: 5, initialBackoff: 1 })
    class Pushed extends GrpcService<EchoService>() {}
    await errorOf((await start(Pushed)).echo.say({}));
    expect(pushing.seen).toHaveLength(1);

    const ill = await failing(99);
    @GrpcLbClient({ ...echoOptions(ill.target), service: 'Echo', name: 'ECHO' })
    @Retry({ maxAttempts: 5, initialBackoff: 1, throttling: { maxTokens: 3 } })
    class Throttled extends GrpcService<EchoService>() {}
    const { echo } = await start(Throttled);
    // The first failure leaves 2 of 3 tokens, more than half: one retry. The second leaves 1, and that was it.
    await errorOf(echo.say({}));
    expect(ill.seen).toHaveLength(2);
    await errorOf(echo.say({}));
    expect(ill.seen).toHaveLength(3);
  });
});

describe('@Deadline', () => {
  /** The time that a call has left at most when it arrives. */
  const leftOf = ({ deadline: end }: { deadline: number | Date }): number => Number(end) - Date.now();

  async function backend(): Promise<ScriptedBackend> {
    return new ScriptedBackend({
      say: (call, done) => done(null, call.request),
      repeat: (call) => call.end(),
    }).start();
  }

  it('ends a call that takes longer', async () => {
    const silent = await new ScriptedBackend({ say: () => {} }).start();
    @GrpcLbClient({ ...echoOptions(silent.target), service: 'Echo', name: 'ECHO' })
    @Deadline({ timeout: 60 })
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo } = await start(EchoClient);
    expect(await errorOf(echo.say({}))).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
  });

  it('of the call itself wins if it is shorter, and only then', async () => {
    const { seen, target } = await backend();
    @GrpcLbClient({ ...echoOptions(target), service: 'Echo', name: 'ECHO' })
    @Deadline({ timeout: 20_000 })
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo } = await start(EchoClient);
    await firstValueFrom(echo.say({}));
    await firstValueFrom(echo.say({}, { timeout: 10_000 }));
    await firstValueFrom(echo.say({}, { timeout: 3_600_000 }));
    // Half a minute for a slow machine: what counts is which of them it is.
    const [common, shorter, longer] = seen.map(leftOf);
    expect(common).toBeGreaterThan(10_000);
    expect(common).toBeLessThanOrEqual(20_000);
    expect(shorter).toBeLessThanOrEqual(10_000);
    expect(longer).toBeLessThanOrEqual(20_000);
  });

  it('does not apply to response streams unless their method is listed', async () => {
    const { seen, target } = await backend();
    @GrpcLbClient({ ...echoOptions(target), service: 'Echo', name: 'ECHO' })
    @Deadline({ timeout: 20_000 })
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo, registry } = await start(EchoClient);
    const stream = () => firstValueFrom(echo.repeat({}), { defaultValue: null });
    await stream();
    expect(seen[0]!.deadline).toBe(Infinity);
    registry.configure('ECHO', { deadline: deadline({ methods: { Repeat: 30_000 } }) });
    await stream();
    expect(leftOf(seen[1]!)).toBeLessThanOrEqual(30_000);
    await firstValueFrom(echo.say({}));
    expect(seen[2]!.deadline).toBe(Infinity);
  });
});

describe('all of them', () => {
  const ASPECTS = {
    health: { service: 'echo.v1.Echo', panicThreshold: 20 },
    ejection: { consecutiveFailures: 3 },
    slowStart: { window: 500 },
    retry: { maxAttempts: 2, methods: { Say: false as const }, budget: { ratio: 0.1 } },
    hedge: { delay: 'p99' as const, methods: { Say: true } },
    deadline: { timeout: 1000, methods: { Repeat: 5000 } },
  };

  it('may be decorators, plain functions, or options of an item, and mean the same', async () => {
    @GrpcLbClient({ ...echoOptions('127.0.0.1:1'), service: 'Echo', name: 'DECORATED' })
    @HealthCheck(ASPECTS.health)
    @OutlierEjection(ASPECTS.ejection)
    @SlowStart(ASPECTS.slowStart)
    @Retry(ASPECTS.retry)
    @Hedge(ASPECTS.hedge)
    @Deadline(ASPECTS.deadline)
    class Decorated extends GrpcService<EchoService>() {}
    const loadBalancing = {
      health: healthCheck(ASPECTS.health),
      ejection: outlierEjection(ASPECTS.ejection),
      slowStart: slowStart(ASPECTS.slowStart),
      retry: retry(ASPECTS.retry),
      hedge: hedge(ASPECTS.hedge),
      deadline: deadline(ASPECTS.deadline),
    };
    const item = { name: 'ITEM', options: echoOptions('127.0.0.1:1', { loadBalancing }) };
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([Decorated, item])] });
    const [decorated, named] = app.get(GrpcLbRegistry).snapshot();
    expect(decorated!.loadBalancing).toEqual(named!.loadBalancing);
    expect(decorated!.loadBalancing).toMatchObject(ASPECTS);
    expect(decorated!.loadBalancing!.ejection).toMatchObject({ successRate: 0.8, baseEjectionTime: 5000 });
  });

  it('may have defaults in forRoot, which a client completes and overrides field by field', async () => {
    @GrpcLbClient({ ...echoOptions('127.0.0.1:1'), service: 'Echo', name: 'ECHO' })
    @HealthCheck({ service: 'echo.v1.Echo' })
    @OutlierEjection({ consecutiveFailures: 2 })
    class EchoClient extends GrpcService<EchoService>() {}
    const common = { health: { panicThreshold: 30 }, ejection: { consecutiveFailures: 9, minimumCalls: 50 } };
    const { registry } = await start(EchoClient, { loadBalancing: { ...common, deadline: { timeout: 700 } } });
    expect(registry.snapshot('ECHO').loadBalancing).toMatchObject({
      health: { service: 'echo.v1.Echo', panicThreshold: 30 },
      ejection: { consecutiveFailures: 2, minimumCalls: 50 },
      deadline: { timeout: 700 },
    });
  });

  it('are not declared by undefined', async () => {
    const loadBalancing = { retry: undefined, policy: undefined, deadline: { timeout: 700 } };
    @GrpcLbClient({ ...echoOptions('127.0.0.1:1'), service: 'Echo', name: 'ECHO', loadBalancing, tls: undefined })
    @Retry({ maxAttempts: 4 })
    @RoundRobin()
    class EchoClient extends GrpcService<EchoService>() {}
    const { registry } = await start(EchoClient);
    expect(registry.snapshot('ECHO').loadBalancing).toMatchObject({
      retry: { maxAttempts: 4 },
      policy: { name: 'round_robin' },
      deadline: { timeout: 700 },
    });
  });

  it('are declared once each, and their faults are reported with all others', async () => {
    @GrpcLbClient({
      ...echoOptions('127.0.0.1:1'),
      service: 'Echo',
      loadBalancing: { retry: {}, health: { service: 5 as never } },
    })
    @HealthCheck()
    @OutlierEjection({ failureCodes: ['UNAVAILBLE' as never] })
    @OutlierEjection({ window: 1 })
    @SlowStart({ agression: 1 } as never)
    @Retry({ maxAttempts: 9, methods: { Sya: false, Look: { maxAttempts: 0 } } })
    @Hedge({ delay: '20ms' as never, methods: { Sya: true, Join: true, Talk: false } })
    @Deadline({ methods: { say: 100, Shout: 100 } })
    class EchoClient extends GrpcService<EchoService>() {}
    const { message } = await startError({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])] });
    const [title, ...lines] = message.split('\n').map((line) => line.trim());
    expect(title).toBe('client EchoClient: 15 options are invalid');
    expect(lines).toEqual([
      '- loadBalancing.retry is declared by @GrpcLbClient and @Retry; keep one',
      '- loadBalancing.health is declared by @GrpcLbClient and @HealthCheck; keep one',
      '- loadBalancing.ejection is declared by @OutlierEjection and @OutlierEjection; keep one',
      '- loadBalancing.retry.maxAttempts is 9; use a whole number from 1 to 5',
      '- loadBalancing.retry.methods.Look.maxAttempts is 0; use a whole number from 1 to 5',
      '- loadBalancing.health.service is 5; use a service name, as in "orders.v1.Orders"',
      expect.stringMatching(
        /^- loadBalancing\.ejection\.failureCodes\[0\] is "UNAVAILBLE"; .*did you mean "UNAVAILABLE"\?$/,
      ),
      '- loadBalancing.ejection.window is 1; use a whole number from 1000 to 600000 (milliseconds)',
      expect.stringMatching(/^- loadBalancing\.slowStart\.agression is not an option; did you mean "aggression"\?/),
      expect.stringMatching(/^- loadBalancing\.hedge\.delay is "20ms"; use a whole number from 0 to 60000/),
      '- loadBalancing.retry.methods.Sya is not a method of the client\'s services; did you mean "Say"?; they have Say, Repeat, Join, Talk, Look',
      '- loadBalancing.hedge.methods.Sya is not a method of the client\'s services; did you mean "Say"?; they have Say, Repeat, Join, Talk, Look',
      '- loadBalancing.deadline.methods.say is not a method of the client\'s services; did you mean "Say"?; they have Say, Repeat, Join, Talk, Look',
      "- loadBalancing.deadline.methods.Shout is not a method of the client's services; they have Say, Repeat, Join, Talk, Look",
      '- loadBalancing.hedge.methods.Join streams its requests, and cannot be hedged; remove it, and hedge only methods with a single request',
    ]);
  });
});

describe('configure', () => {
  it('turns every aspect on and off while calls run', async () => {
    const servers = await startBackends(2, { health: true });
    @GrpcLbClient({ ...echoOptions(staticTarget(servers)), service: 'Echo', name: 'ECHO' })
    @RoundRobin()
    class EchoClient extends GrpcService<EchoService>() {}
    const { echo, registry, until } = await start(EchoClient);
    await until((snapshot) => states(snapshot) === 'ready ready');

    servers[0]!.setHealth('NOT_SERVING', '');
    await until((snapshot) => states(snapshot) === 'not_serving ready');
    // It would be in slow start.
    const off = { health: healthCheck({ enabled: false }), slowStart: slowStart({ enabled: false }) };
    registry.configure('ECHO', { policy: roundRobin(), ...off });
    await until((snapshot) => states(snapshot) === 'ready ready');
    expect(registry.snapshot('ECHO').endpoints.map(({ warmth }) => warmth)).toEqual([1, 1]);

    servers[0]!.fail('INTERNAL');
    await say(echo, 12);
    expect(states(registry.snapshot('ECHO'))).toBe('ejected ready');
    registry.configure('ECHO', { policy: roundRobin(), ...off, ejection: outlierEjection({ enabled: false }) });
    expect(states(registry.snapshot('ECHO'))).toBe('ready ready');
  });

  it('reports all faults at once, including those of methods, and keeps the current options', async () => {
    @GrpcLbClient({ ...echoOptions('127.0.0.1:1'), service: 'Echo', name: 'ECHO' })
    @Deadline({ timeout: 1000 })
    class EchoClient extends GrpcService<EchoService>() {}
    const { registry } = await start(EchoClient);
    const wrong = () => registry.configure('ECHO', { deadline: { timeout: 0, methods: { Sey: 5 } } });
    expect(wrong).toThrow(GrpcLbOptionsError);
    expect(wrong).toThrow(
      /^client ECHO: 2 options are invalid\n {2}- loadBalancing\.deadline\.timeout is 0; .*\n {2}- loadBalancing\.deadline\.methods\.Sey is not a method of the client's services; did you mean "Say"\?/,
    );
    expect(registry.snapshot('ECHO').loadBalancing!.deadline).toEqual({ timeout: 1000 });
  });
});
