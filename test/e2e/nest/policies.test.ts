import 'reflect-metadata';
import {
  Adaptive,
  adaptive,
  GrpcLbClient,
  GrpcLbModule,
  GrpcLbRegistry,
  GrpcService,
  HotCold,
  hotCold,
  type LoadBalancingOptions,
  PeakEwma,
  peakEwma,
} from 'nestjs-grpc-lb';
import { firstValueFrom, of } from 'rxjs';
import { expect, it } from 'vitest';
import { echoFleet } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, echoOptions, type EchoService, startApp, startError } from '../../support/nest/app.js';

expectNoLeaks();

it('latency policies may be decorators, functions or names with the same effect', async () => {
  const client = { ...echoOptions('127.0.0.1:1'), service: 'Echo' };
  @GrpcLbClient(client)
  @Adaptive()
  class AdaptiveClient extends GrpcService<EchoService>() {}
  @GrpcLbClient(client)
  @PeakEwma({ decayTime: 5000 })
  class PeakEwmaClient extends GrpcService<EchoService>() {}
  @GrpcLbClient(client)
  @HotCold({ hotQuantile: 0.9 })
  class HotColdClient extends GrpcService<EchoService>() {}
  const item = (name: string, policy: LoadBalancingOptions['policy']) => ({
    name,
    options: echoOptions('127.0.0.1:1', { loadBalancing: { policy: policy! } }),
  });
  const app = await startApp({
    imports: [
      GrpcLbModule.forRoot(),
      GrpcLbModule.forFeature([
        AdaptiveClient,
        PeakEwmaClient,
        HotColdClient,
        item('A', adaptive()),
        item('P', peakEwma({ decayTime: 5000 })),
        item('H', hotCold({ hotQuantile: 0.9 })),
        item('NAME', 'adaptive'),
      ]),
    ],
  });
  const registry = app.get(GrpcLbRegistry);
  const policyOf = (name: string): unknown => registry.snapshot(name).loadBalancing!.policy;
  expect(policyOf('AdaptiveClient')).toEqual({ name: 'adaptive' });
  expect(policyOf('PeakEwmaClient')).toEqual({ name: 'peak_ewma', decayTime: 5000 });
  expect(policyOf('HotColdClient')).toEqual({ name: 'hot_cold', hotQuantile: 0.9 });
  expect(['A', 'P', 'H', 'NAME'].map(policyOf)).toEqual(
    ['AdaptiveClient', 'PeakEwmaClient', 'HotColdClient', 'AdaptiveClient'].map(policyOf),
  );
});

it('a method may have its own policy, by its name in the proto file', async () => {
  const fleet = await echoFleet(3);
  const EchoClient = echoClient(staticTarget([...fleet]), {
    name: 'ECHO',
    loadBalancing: { policy: 'round_robin', methods: { Say: { policy: 'pick_first' } } },
  });
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])] });
  const registry = app.get(GrpcLbRegistry);
  while (registry.snapshot('ECHO').endpoints.filter(({ state }) => state === 'ready').length < 3)
    await firstValueFrom(registry.events$);
  const echo = app.get(EchoClient);
  for (let i = 0; i < 9; i++) await firstValueFrom(echo.say({}));
  expect([...fleet].map(({ calls }) => calls)).toEqual([9, 0, 0]);
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(await firstValueFrom(echo.join(of({ text: 'a' }))));
  expect(new Set(answers.map(({ server }) => server)).size).toBe(3);

  registry.configure('ECHO', { policy: 'pick_first', methods: { Say: { policy: 'round_robin' } } });
  fleet.clear();
  for (let i = 0; i < 3; i++) await firstValueFrom(echo.say({}));
  expect([...fleet].map(({ calls }) => calls)).toEqual([1, 1, 1]);
});

it('a method that does not exist is reported when the module is built, and when it is configured', async () => {
  const wrong = { methods: { say: { policy: 'adaptive' as const }, Repeat: { policy: 'adaptve' as never } } };
  const faulty = echoClient('127.0.0.1:1', { name: 'ECHO', loadBalancing: wrong });
  const { message } = await startError({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([faulty])] });
  expect(message).toContain('loadBalancing.methods.say is not a method of the client\'s services; did you mean "Say"?');
  expect(message).toContain(
    'loadBalancing.methods.Repeat.policy is "adaptve", which is not a known policy; did you mean "adaptive"?',
  );

  const EchoClient = echoClient('127.0.0.1:1', { name: 'ECHO' });
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])] });
  const registry = app.get(GrpcLbRegistry);
  expect(() => registry.configure('ECHO', { methods: { Shout: { policy: 'random' } } })).toThrow(
    "loadBalancing.methods.Shout is not a method of the client's services; they have Say, Repeat, Join, Talk, Look",
  );
});
