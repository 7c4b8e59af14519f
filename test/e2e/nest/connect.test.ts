import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { getGrpcLbClientToken, GrpcLbModule, GrpcLbRegistry } from 'nestjs-grpc-lb';
import { mockClient, trackLeaks } from 'nestjs-grpc-lb/testing';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { echoClient, echoOptions, startApp, startError } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { appOfFleet, EchoClient, fleetOfTest } from '../../support/testing/fleet-app.js';

expectNoLeaks();

@Module({ imports: [GrpcLbModule.forRoot({ connect: 'lazy' }), GrpcLbModule.forFeature([EchoClient])] })
class LazyModule {}

/** Not of the fleet's own application, which waits for connections. */
async function start(module: unknown, fleet: Awaited<ReturnType<typeof fleetOfTest>>): Promise<TestingModule> {
  return startApp({ imports: [module as never] }, (builder) =>
    builder.overrideProvider(getGrpcLbClientToken(EchoClient)).useFactory(fleet.client(EchoClient)),
  );
}

describe("with connect: 'lazy' a client", () => {
  it('opens nothing when the application starts, and connects at its first call', async () => {
    const fleet = await fleetOfTest();
    const leaks = trackLeaks();
    const app = await start(LazyModule, fleet);
    const client = app.get(GrpcLbRegistry).get(EchoClient);
    expect([client.snapshot().state, leaks.open()]).toEqual(['idle', []]);
    expect(await firstValueFrom(app.get(EchoClient).say({ text: 'a' }))).toMatchObject({ text: 'a' });
    await fleet.ready();
    expect(client.snapshot().state).toBe('ready');
    await app.close();
    await fleet.close();
    await leaks.expectNone();
  });

  it('connects earlier on request', async () => {
    const fleet = await fleetOfTest();
    const app = await start(LazyModule, fleet);
    app.get(GrpcLbRegistry).get(EchoClient).connect();
    await fleet.ready();
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient).state).toBe('ready');
  });

  it('closes without having connected', async () => {
    const fleet = await fleetOfTest();
    const app = await start(LazyModule, fleet);
    await app.close();
    expect([...fleet].map(({ connections }) => connections)).toEqual([0, 0, 0]);
  });
});

it("any value but 'eager' and 'lazy' is an error", async () => {
  const { message } = await startError({ imports: [GrpcLbModule.forRoot({ connect: 'late' as 'lazy' })] });
  expect(message).toBe(
    'GrpcLbModule.forRoot: an option is invalid\n  - connect is "late"; use one of eager, lazy; did you mean "lazy"?',
  );
});

describe('a client that a test replaces', () => {
  const item = { name: 'ECHO', options: echoOptions('static:///127.0.0.1:1') };
  const Client = echoClient('static:///127.0.0.1:1');
  const module = { imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([Client, item])] };

  it('opens no connection, timer or watch, whichever way it is replaced', async () => {
    const leaks = trackLeaks();
    class Fake {}
    const fakes = [
      { useValue: mockClient(Client) },
      { useFactory: { factory: () => mockClient(Client) } },
      { useClass: Fake },
    ];
    for (const fake of fakes) {
      const app = await startApp(module, (builder) => {
        const override = builder.overrideProvider(Client);
        const replaced =
          'useValue' in fake
            ? override.useValue(fake.useValue)
            : 'useClass' in fake
              ? override.useClass(fake.useClass)
              : override.useFactory(fake.useFactory!);
        return replaced.overrideProvider('ECHO').useValue({ getService: () => ({}) });
      });
      expect(app.get(GrpcLbRegistry).snapshot()).toMatchObject([{ state: 'idle' }]);
      expect(leaks.open()).toEqual([]);
      await app.close();
    }
    await leaks.expectNone(0);
  });
});

describe('in one process', () => {
  it('two applications with one client class have clients and targets of their own', async () => {
    const [one, other] = [await fleetOfTest({ backends: 1 }), await fleetOfTest({ backends: 1 })];
    const first = await appOfFleet(one);
    const second = await appOfFleet(other);
    await firstValueFrom(first.echo.say({ text: 'first' }));
    await firstValueFrom(second.echo.say({ text: 'second' }));
    expect([one, other].map((fleet) => fleet.calls().map(({ request }) => request))).toEqual([
      [{ text: 'first' }],
      [{ text: 'second' }],
    ]);
    await first.app.close();
    await expect.poll(() => one[0].connections).toBe(0);
    await firstValueFrom(second.echo.say({ text: 'still' }));
    expect(other[0].calls).toBe(2);
  });

  it('an application that is reloaded has new classes of the same names, and leaves nothing behind', async () => {
    const fleet = await fleetOfTest({ backends: 2 });
    const leaks = trackLeaks();
    for (let generation = 0; generation < 5; generation++) {
      // As a bundler that replaces modules evaluates their code again.
      const Client = echoClient(`static:///${fleet.addresses.join(',')}`);
      @Module({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([Client])] })
      class AppModule {}
      const app = await Test.createTestingModule({ imports: [AppModule] }).compile();
      await app.init();
      await firstValueFrom(app.get(Client).say({ text: `${generation}` }));
      await app.close();
    }
    expect(fleet.calls().map(({ request }) => (request as { text: string }).text)).toEqual(['0', '1', '2', '3', '4']);
    await expect.poll(() => [...fleet].map(({ connections }) => connections)).toEqual([0, 0]);
    await leaks.expectNone();
  });

  it('a second copy of the package over one grpc-js is an error that says so', async () => {
    const fleet = await fleetOfTest({ backends: 1 });
    await appOfFleet(fleet);
    vi.resetModules();
    const { GrpcLbModule: Copy } = await import('nestjs-grpc-lb');
    expect(Copy).not.toBe(GrpcLbModule);
    const feature = Copy.forFeature([{ name: 'ECHO', options: echoOptions('static:///127.0.0.1:1') }]);
    const { message } = await startError({ imports: [Copy.forRoot(), feature] });
    expect(message).toMatch(/^The load-balancing policy "grpc_lb" is already registered .* keep one of them/);
  });
});
