import { fileURLToPath } from 'node:url';
import { type Server, status } from '@grpc/grpc-js';
import { Injectable, Module } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { HealthImplementation } from 'grpc-health-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from 'nestjs-grpc-lb/testing';
import {
  GrpcServer,
  GrpcServerModule,
  grpcServer,
  type GrpcServerOptions,
} from '../../../libs/grpc-lb/src/server/index.js';
import { HealthWatch, healthClient } from '../../support/peers/health-watch.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoController, echoTransport, failureOf, startEcho } from '../../support/server/app.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const ORDERS_PROTO = fileURLToPath(new URL('../../../apps/demo-server/contract/orders.proto', import.meta.url));

async function check(address: string, service: string): Promise<string> {
  return new Promise((resolve, reject) => {
    healthClient(address).check({ service }, (error, answer) => (error ? reject(error) : resolve(answer!.status)));
  });
}

test('each service of the package and the server as a whole are SERVING; others are unknown', async () => {
  const { address, server } = await startEcho();
  for (const service of ['', 'echo.v1.Echo', 'echo.v1.Mirror']) expect(await check(address, service)).toBe('SERVING');
  expect(await failureOf(check(address, 'echo.v1.Ecko'))).toMatchObject({ code: status.NOT_FOUND });
  expect(await new HealthWatch(address, 'echo.v1.Ecko').next()).toBe('SERVICE_UNKNOWN');
  const statuses = await new Promise((resolve) =>
    healthClient(address).list({}, (_, answer) => resolve(answer?.statuses)),
  );
  const serving = { status: 'SERVING' };
  expect(statuses).toEqual({ '': serving, 'echo.v1.Echo': serving, 'echo.v1.Mirror': serving });
  expect(server.health()).toEqual({ '': 'SERVING', 'echo.v1.Echo': 'SERVING', 'echo.v1.Mirror': 'SERVING' });
});

test('a service that is set to not serving reports it at once, without the others, and comes back', async () => {
  const { address, server } = await startEcho();
  const [echo, mirror] = [new HealthWatch(address, 'echo.v1.Echo'), new HealthWatch(address, 'echo.v1.Mirror')];
  expect([await echo.next(), await mirror.next()]).toEqual(['SERVING', 'SERVING']);
  server.setServing('echo.v1.Echo', false);
  server.setServing('echo.v1.Echo', false);
  expect(await echo.next()).toBe('NOT_SERVING');
  server.setServing('echo.v1.Echo', true);
  expect(await echo.next()).toBe('SERVING');
  server.setServing('', false);
  expect([await echo.next(), await mirror.next()]).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  expect(mirror.pending).toEqual([]);
  expect(() => server.setServing('echo.v1.Ecko', false)).toThrow('no service "echo.v1.Ecko"; use one of echo.v1.Echo');
});

test('no service is SERVING before the first result of its check, and a failure affects only its services', async () => {
  let [database, queue] = [true, true];
  let answer!: (healthy: boolean) => void;
  const first = new Promise<boolean>((resolve) => (answer = resolve));
  const { address } = await startEcho({
    health: {
      interval: 50,
      failureThreshold: 1,
      checks: {
        '': async () => {
          await first;
          if (!database) throw new Error('the database is gone');
        },
        'echo.v1.Echo': [() => queue],
      },
    },
  });
  const [echo, mirror] = [new HealthWatch(address, 'echo.v1.Echo'), new HealthWatch(address, 'echo.v1.Mirror')];
  expect([await echo.next(), await mirror.next()]).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  answer(true);
  expect([await echo.next(), await mirror.next()]).toEqual(['SERVING', 'SERVING']);
  queue = false;
  expect(await echo.next()).toBe('NOT_SERVING');
  expect(mirror.pending).toEqual([]);
  database = false;
  expect(await mirror.next()).toBe('NOT_SERVING');
  queue = database = true;
  expect([await echo.next(), await mirror.next()]).toEqual(['SERVING', 'SERVING']);
});

test('a Terminus indicator may be a check, injected like any provider', async () => {
  @Injectable()
  class DatabaseIndicator {
    up = true;
    constructor(private readonly indicators: HealthIndicatorService) {}
    ping(): HealthIndicatorResult {
      const indicator = this.indicators.check('database');
      return this.up ? indicator.up() : indicator.down('no route');
    }
  }
  Reflect.defineMetadata('design:paramtypes', [HealthIndicatorService], DatabaseIndicator);
  @Module({ imports: [TerminusModule], providers: [DatabaseIndicator], exports: [DatabaseIndicator] })
  class DatabaseModule {}

  let indicator!: DatabaseIndicator;
  const server = GrpcServerModule.forRootAsync({
    imports: [DatabaseModule],
    inject: [DatabaseIndicator],
    useFactory: (database: DatabaseIndicator): GrpcServerOptions => {
      indicator = database;
      const checks = { '': () => database.ping() };
      return { drain: { delay: 0 }, health: { interval: 50, failureThreshold: 2, checks } };
    },
  });
  const { address } = await startEcho({}, { server });
  const watch = new HealthWatch(address, '');
  let told = await watch.next();
  if (told === 'NOT_SERVING') told = await watch.next();
  expect(told).toBe('SERVING');
  indicator.up = false;
  expect(await watch.next()).toBe('NOT_SERVING');
  indicator.up = true;
  expect(await watch.next()).toBe('SERVING');
});

test('a check for an unknown service fails the start with the known names', async () => {
  const started = startEcho({ health: { checks: { 'echo.v1.Ecko': () => true } } });
  await expect(started).rejects.toThrow('no service "echo.v1.Ecko"; use one of echo.v1.Echo, echo.v1.Mirror');
});

test('a service that is set to not serving before the server listens stays so, and must exist', async () => {
  const started = (service: string) => {
    class EarlyModule {}
    const setServing = (server: GrpcServer): boolean => (server.setServing(service, false), true);
    const provider = { provide: 'early', inject: [GrpcServer], useFactory: setServing };
    return startEcho({}, { imports: [{ module: EarlyModule, providers: [provider] }] });
  };
  const { server } = await started('echo.v1.Echo');
  expect(server.health()).toEqual({ '': 'SERVING', 'echo.v1.Echo': 'NOT_SERVING', 'echo.v1.Mirror': 'SERVING' });
  await expect(started('echo.v1.Ecko')).rejects.toThrow('no service "echo.v1.Ecko"; use one of echo.v1.Echo');
});

describe('an application with two transports', () => {
  const ORDERS = 'orders.v1.Orders';

  /** Echo is listening; the other one not yet, and perhaps the application does not even know of it. */
  async function hybrid(options: GrpcServerOptions = {}) {
    const server = GrpcServerModule.forRoot({ ...options, drain: { delay: 0 } });
    const module = Test.createTestingModule({ imports: [server], controllers: [echoController().controller] });
    const app = (await module.compile()).createNestApplication({ logger: false });
    onTestFinished(() => app.close());
    const connect = async (transport: ReturnType<typeof echoTransport>) => {
      const microservice = app.connectMicroservice(grpcServer(transport), { inheritAppConfig: false });
      return { address: transport.options.url!, listen: () => microservice.listen() };
    };
    const echo = async () => connect(echoTransport(await freePort()));
    const orders = async () =>
      connect({ options: { url: `127.0.0.1:${await freePort()}`, package: 'orders.v1', protoPath: ORDERS_PROTO } });
    return { server: app.get(GrpcServer), echo, orders };
  }

  test('is asked about all of them, and may set the services of one that does not listen yet', async () => {
    const { server, ...connect } = await hybrid();
    const [echo, orders] = [await connect.echo(), await connect.orders()];
    await echo.listen();
    server.setServing(ORDERS, false);
    await orders.listen();
    expect(server.health()).toMatchObject({ '': 'SERVING', 'echo.v1.Echo': 'SERVING', [ORDERS]: 'NOT_SERVING' });
    for (const { address } of [echo, orders]) expect(await check(address, ORDERS)).toBe('NOT_SERVING');
    server.setServing(ORDERS, true);
    expect(server.health()).toMatchObject({ [ORDERS]: 'SERVING' });
    expect(() => server.setServing('orders.v1.Ordres', false)).toThrow(
      /no service "orders.v1.Ordres"; use one of echo/,
    );
  });

  test('runs each check once, and stays what it is, when one is connected later', async () => {
    let checks = 0;
    const pending = new Promise(() => {});
    const health = { interval: 60_000, checks: { '': () => ++checks === 1 || pending } };
    const { server, ...connect } = await hybrid({ health });
    await (await connect.echo()).listen();
    await eventually(() => server.health()[''] === 'SERVING');
    const orders = await connect.orders();
    server.setServing(ORDERS, false);
    expect(server.health()).toMatchObject({ '': 'SERVING', 'echo.v1.Echo': 'SERVING' });
    await orders.listen();
    expect(server.health()).toMatchObject({ '': 'SERVING', 'echo.v1.Echo': 'SERVING', [ORDERS]: 'NOT_SERVING' });
    expect(checks).toBe(1);
  });
});

test('a health service of the application fails the start with the remedy, and is allowed with health: false', async () => {
  const own = new HealthImplementation({ '': 'SERVING' });
  const start = async (options: GrpcServerOptions): Promise<string> => {
    const transport = echoTransport(await freePort());
    transport.options.onLoadPackageDefinition = (_, server: Server) => own.addToServer(server);
    const module = await Test.createTestingModule({ controllers: [echoController().controller] }).compile();
    const app = module.createNestMicroservice(grpcServer(transport, { ...options, drain: { delay: 0 } }));
    app.useLogger(false);
    onTestFinished(() => app.close());
    await app.listen();
    return transport.options.url!;
  };
  await expect(start({})).rejects.toThrow('the application already serves grpc.health.v1.Health');
  expect(await check(await start({ health: false }), '')).toBe('SERVING');
});

test('the options of grpcServer and those of the module do not mix', async () => {
  const module = await Test.createTestingModule({ imports: [GrpcServerModule.forRoot()] }).compile();
  const start = (): unknown => module.createNestMicroservice(grpcServer(echoTransport(1), { reflection: true }));
  module.useLogger(false);
  expect(start).toThrow('are set here and in GrpcServerModule');
  await module.close();
});
