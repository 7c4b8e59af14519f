import * as grpc from '@grpc/grpc-js';
import { GrpcLbModule, getGrpcLbClientToken, type GrpcLbCallOptions, type LoadBalancingOptions } from 'nestjs-grpc-lb';
import type { ClientGrpc } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { echoOptions, type EchoStub, startApp } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, startEcho } from '../../support/server/app.js';

expectNoLeaks();

interface Case {
  /** What the caller of the handler states. */
  readonly caller?: Record<string, string>;
  /** What the client says that the handler uses; undefined: there is no handler. */
  readonly loadBalancing?: LoadBalancingOptions;
  readonly options?: GrpcLbCallOptions;
  readonly metadata?: grpc.Metadata;
}

/** The criticality that the last server is told. */
async function told({ caller, loadBalancing, options, metadata }: Case): Promise<unknown> {
  const last = await startEcho();
  let seen: unknown;
  last.handlers.say = (line, call) => {
    seen = call.metadata.get('x-criticality')[0];
    return line;
  };
  const item = {
    name: 'NEXT',
    options: echoOptions(`static:///${last.address}`, { loadBalancing: loadBalancing ?? {} }),
  };
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([item])] });
  const stub: EchoStub = app.get<ClientGrpc>(getGrpcLbClientToken('NEXT')).getService('Echo');
  const ask = (): Promise<unknown> =>
    firstValueFrom(metadata ? stub.say({ text: 'x' }, metadata, options) : stub.say({ text: 'x' }, options));
  if (!caller) {
    await ask();
    return seen;
  }
  const first = await startEcho();
  first.handlers.say = async (line) => {
    await ask();
    return line;
  };
  const client = echoClient(first.address, grpc.credentials.createInsecure());
  const sent = new grpc.Metadata();
  for (const [key, value] of Object.entries(caller)) sent.set(key, value);
  await new Promise((resolve, reject) =>
    client.makeUnaryRequest(
      '/echo.v1.Echo/Say',
      () => Buffer.alloc(0),
      String,
      {},
      sent,
      (error, answer) => (error ? reject(error) : resolve(answer)),
    ),
  );
  return seen;
}

const sheddable = { 'x-criticality': 'sheddable' };

test.each<[string, Case, unknown]>([
  ['nothing', {}, undefined],
  ['the option of the client', { loadBalancing: { criticality: 'critical_plus' } }, 'critical_plus'],
  [
    'the option of the method',
    { loadBalancing: { criticality: 'critical', methods: { Say: { criticality: 'sheddable' } } } },
    'sheddable',
  ],
  [
    'the option of the call',
    { loadBalancing: { criticality: 'critical' }, options: { criticality: 'sheddable' } },
    'sheddable',
  ],
  ['the call that a handler serves', { caller: sheddable }, 'sheddable'],
  ['its baggage', { caller: { baggage: 'criticality=sheddable_plus' } }, 'sheddable_plus'],
  [
    'that call, if it is less important than the client',
    { caller: sheddable, loadBalancing: { criticality: 'critical' } },
    'sheddable',
  ],
  [
    'the client, if it is less important than that call',
    { caller: { 'x-criticality': 'critical_plus' }, loadBalancing: { criticality: 'sheddable_plus' } },
    'sheddable_plus',
  ],
  ['the call itself, above all', { caller: sheddable, options: { criticality: 'critical' } }, 'critical'],
  [
    'that call, although the deadline is not inherited',
    { caller: sheddable, options: { inherit: false } },
    'sheddable',
  ],
])('%s says it', async (_, given, expected) => {
  expect(await told(given)).toBe(expected);
});

test('metadata of the caller stays as it is, and its own key wins over the options', async () => {
  const metadata = new grpc.Metadata();
  metadata.set('tenant', 'seven');
  expect(await told({ metadata, options: { criticality: 'sheddable' } })).toBe('sheddable');
  expect(metadata.getMap()).toEqual({ tenant: 'seven' });
  metadata.set('x-criticality', 'critical_plus');
  expect(await told({ metadata, loadBalancing: { criticality: 'sheddable' } })).toBe('critical_plus');
});

test('a level that does not exist is refused, and nothing is sent', async () => {
  await expect(told({ options: { criticality: 'urgent' as 'critical' } })).rejects.toThrow(
    'options.criticality is "urgent"; pass one of sheddable, sheddable_plus, critical, critical_plus',
  );
});
