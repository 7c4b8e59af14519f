import type { ClientGrpc } from '@nestjs/microservices';
import { type GrpcLbClientOptions, GrpcLbModule, GrpcLbRegistry } from 'nestjs-grpc-lb';
import { filter, firstValueFrom, mergeMap, range, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoOptions, type EchoService, startApp } from '../../support/nest/app.js';

expectNoLeaks();

const { target: _, ...options } = echoOptions('');

/** An application with the client ECHO, and the given number of ready endpoints. */
async function start(more: Partial<GrpcLbClientOptions>, ready: number) {
  const item = { name: 'ECHO', options: { ...options, ...more } };
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([item])] });
  const registry = app.get(GrpcLbRegistry);
  const count = (): number => registry.snapshot('ECHO').endpoints.filter(({ state }) => state === 'ready').length;
  if (count() < ready) await firstValueFrom(registry.events$.pipe(filter(() => count() === ready)));
  return { registry, echo: app.get<ClientGrpc>('ECHO').getService<EchoService>('Echo') };
}

it('several addresses in url share the calls', async () => {
  const servers = await startBackends(2);
  const addresses = servers.map(({ address }) => address);
  const { registry, echo } = await start({ url: addresses }, 2);
  expect(registry.snapshot('ECHO').target).toBe(`static:///${addresses.join(',')}`);
  await firstValueFrom(
    range(0, 60).pipe(
      mergeMap(() => echo.say({})),
      toArray(),
    ),
  );
  expect(servers.map(({ calls }) => calls)).toEqual([30, 30]);
});

it('a list of one address in url is that address', async () => {
  const [server] = await startBackends(1);
  const { registry } = await start({ url: [server!.address] }, 1);
  expect(registry.snapshot('ECHO').target).toBe(server!.address);
});

it('explain shows standby endpoints', async () => {
  const addresses = (await startBackends(2)).map(({ address }) => address);
  const { registry } = await start({ targets: addresses.map((address) => `static:///${address}`) }, 1);
  await expect
    .poll(() => registry.explain('ECHO').endpoints)
    .toEqual([
      { address: addresses[0], chance: 1, why: 'ready: 0 in flight, weight 1' },
      { address: addresses[1], chance: 0, why: 'standby: not connected, as its priority 1 is not needed' },
    ]);
});
