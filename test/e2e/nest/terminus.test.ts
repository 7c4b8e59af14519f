import { ConsoleLogger, Controller, Get, type ModuleMetadata } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { GrpcLbModule, GrpcLbRegistry } from 'nestjs-grpc-lb';
import { GrpcLbHealthIndicator, type GrpcLbHealthOptions, GrpcLbTerminusModule } from 'nestjs-grpc-lb/terminus';
import { firstValueFrom } from 'rxjs';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient } from '../../support/nest/app.js';

expectNoLeaks();

/** What `/health/ready` checks; a test may change it while the application runs. */
const probe: { options: GrpcLbHealthOptions } = { options: { client: 'ECHO' } };

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly grpcLb: GrpcLbHealthIndicator,
  ) {}

  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.grpcLb.isHealthy('orders', probe.options)]);
  }
}

/** A real HTTP application over servers with a health service, all of them ready. */
async function start(count: number, options: Partial<GrpcLbHealthOptions> = {}, more: ModuleMetadata['imports'] = []) {
  const servers = await startBackends(count, { health: true });
  const EchoClient = echoClient(staticTarget(servers), { name: 'ECHO' });
  probe.options = { client: EchoClient, ...options };
  const module = await Test.createTestingModule({
    imports: [
      ...more,
      TerminusModule.forRoot({ logger: false }),
      GrpcLbTerminusModule,
      GrpcLbModule.forRoot(),
      GrpcLbModule.forFeature([EchoClient]),
    ],
    controllers: [HealthController],
  }).compile();
  const app = module.createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const registry = app.get(GrpcLbRegistry);
  const until = async (condition: (states: string) => boolean): Promise<void> => {
    const states = (): string =>
      registry
        .snapshot('ECHO')
        .endpoints.map(({ state }) => state)
        .join(' ');
    while (!condition(states())) await firstValueFrom(registry.events$);
  };
  await until((states) => states === servers.map(() => 'ready').join(' '));
  return { app, servers, registry, EchoClient, until, get: getOf(await app.getUrl()) };
}

function getOf(url: string) {
  return async (path: string): Promise<{ http: number; body: HealthCheckResult }> => {
    const response = await fetch(`${url}${path}`, { headers: { connection: 'close' } });
    return { http: response.status, body: (await response.json()) as HealthCheckResult };
  };
}

const notServing = (server: FleetBackend): void => server.setHealth('NOT_SERVING', '');

describe('readiness', () => {
  it('is 200 and up while all endpoints are healthy, with the state of each', async () => {
    const { servers, get } = await start(2);
    const { http, body } = await get('/health/ready');
    expect(http).toBe(200);
    expect(body).toMatchObject({ status: 'ok', error: {} });
    expect(body.info!['orders']).toEqual({
      status: 'up',
      message: '2 of 2 endpoints are ready, at least 1 required',
      ready: 2,
      total: 2,
      required: 1,
      panic: false,
      discovery: { state: 'ok', error: null },
      endpoints: Object.fromEntries(
        servers.map(({ address }) => [
          address,
          { state: 'ready', reason: null, since: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), inFlight: 0 },
        ]),
      ),
    });
  });

  it('is 200 and degraded while fewer are healthy, but the minimum holds', async () => {
    const { servers, get, until } = await start(3, { minReady: '50%' });
    notServing(servers[0]!);
    await until((states) => states === 'not_serving ready ready');
    const { http, body } = await get('/health/ready');
    expect(http).toBe(200);
    expect(body).toMatchObject({
      status: 'degraded',
      info: {
        orders: {
          status: 'degraded',
          message: '2 of 3 endpoints are ready, at least 2 required',
          endpoints: { [servers[0]!.address]: { state: 'not_serving', reason: 'health of the server: NOT_SERVING' } },
        },
      },
    });
  });

  it('is 503 and down below the minimum, and up again with the endpoints', async () => {
    const { servers, get, until } = await start(2, { minReady: 2 });
    notServing(servers[1]!);
    await until((states) => states === 'ready not_serving');
    const { http, body } = await get('/health/ready');
    expect(http).toBe(503);
    expect(body).toMatchObject({ status: 'error', error: { orders: { status: 'down', ready: 1, required: 2 } } });
    servers[1]!.setHealth('SERVING', '');
    await until((states) => states === 'ready ready');
    expect(await get('/health/ready')).toMatchObject({ http: 200, body: { status: 'ok' } });
  });

  it('reports panic, which alone does not make it down', async () => {
    const { servers, get, until } = await start(3);
    servers.slice(1).forEach(notServing);
    await until((states) => states === 'ready not_serving not_serving');
    expect(await get('/health/ready')).toMatchObject({
      http: 200,
      body: { info: { orders: { status: 'degraded', panic: true } } },
    });
    probe.options = { ...probe.options, minReady: '60%' };
    expect(await get('/health/ready')).toMatchObject({
      http: 503,
      body: { error: { orders: { status: 'down', panic: true } } },
    });
  });

  it('costs nothing: no call, no connection, no channel of its own', async () => {
    const { servers, get, registry } = await start(2);
    const before = registry.snapshot('ECHO').endpoints.map(({ started, connections }) => [started, connections.length]);
    for (let i = 0; i < 10; i++) await get('/health/ready');
    expect(servers.map(({ calls, connections }) => [calls, connections])).toEqual([
      [0, 1],
      [0, 1],
    ]);
    const after = registry.snapshot('ECHO').endpoints.map(({ started, connections }) => [started, connections.length]);
    expect(after).toEqual(before);
  });
});

it('liveness ignores the backends', async () => {
  const { servers, get, until } = await start(1);
  await servers[0]!.stop();
  await until((states) => states !== 'ready');
  expect(await get('/health/live')).toMatchObject({ http: 200, body: { status: 'ok', details: {} } });
  expect(await get('/health/ready')).toMatchObject({ http: 503 });
});

describe('the indicator', () => {
  it('finds a client by its name and by its class', async () => {
    const { app, EchoClient } = await start(1);
    const indicator = app.get(GrpcLbHealthIndicator, { strict: false });
    for (const client of ['ECHO', EchoClient]) expect(indicator.isHealthy('echo', { client }).echo.status).toBe('up');
  });

  it('of an unknown client is an error with a hint', async () => {
    const { app } = await start(1);
    const indicator = app.get(GrpcLbHealthIndicator, { strict: false });
    expect(() => indicator.isHealthy('echo', { client: 'ECKO' })).toThrow(
      'client is "ECKO", which is not declared; did you mean "ECHO"?; the clients are ECHO',
    );
    expect(() => indicator.isHealthy('echo', { name: 'ECHO' } as never)).toThrow('client is "undefined"');
  });

  it('with an invalid minimum is an error with the allowed values', async () => {
    const { app } = await start(1);
    const indicator = app.get(GrpcLbHealthIndicator, { strict: false });
    expect(() => indicator.isHealthy('echo', { client: 'ECHO', minReady: 'half' as never })).toThrow(
      `minReady is "half"; use a whole number of at least 1, or a percentage from '1%' to '100%'`,
    );
  });

  it("keeps the options of the application's own TerminusModule, in any order", async () => {
    const error = vi.fn<(message: string) => void>();
    class OwnLogger extends ConsoleLogger {
      override error = error;
    }
    const [first, second] = [GrpcLbTerminusModule, TerminusModule.forRoot({ logger: OwnLogger })];
    const { get, servers, until } = await start(1, {}, [first, second]);
    notServing(servers[0]!);
    await until((states) => states === 'not_serving');
    expect(await get('/health/ready')).toMatchObject({ http: 503 });
    expect(error).toHaveBeenCalledOnce();
  });
});
