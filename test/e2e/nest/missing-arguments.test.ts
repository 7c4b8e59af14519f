import 'reflect-metadata';
import { GrpcLbModule, GrpcLbRegistry } from 'nestjs-grpc-lb';
import { createBalancedChannel } from 'nestjs-grpc-lb/grpc';
import { observeMetrics } from 'nestjs-grpc-lb/opentelemetry';
import { observeMetrics as observeForPrometheus } from 'nestjs-grpc-lb/prometheus';
import { GrpcServerModule } from 'nestjs-grpc-lb/server';
import { resumingClient } from 'nestjs-grpc-lb/streams';
import { GrpcLbHealthIndicator, GrpcServerHealthIndicator } from 'nestjs-grpc-lb/terminus';
import { createFleet } from 'nestjs-grpc-lb/testing';
import { describe, expect, test } from 'vitest';
import { echoClient, startApp } from '../../support/nest/app.js';
import { startEcho } from '../../support/server/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** Without types, as in a JavaScript file. */
type Untyped = (...given: unknown[]) => unknown;

const indicator = new GrpcLbHealthIndicator({} as never, {} as never);
const serverIndicator = new GrpcServerHealthIndicator({} as never);
const CALLS: [name: string, call: Untyped, path: string, use: string][] = [
  ['forFeature', (options) => GrpcLbModule.forFeature([], options as never), 'options', 'an object with isGlobal'],
  ['forFeatureAsync', (options) => GrpcLbModule.forFeatureAsync([], options as never), 'options', 'an object with isG'],
  ['forRootAsync', GrpcServerModule.forRootAsync as Untyped, 'options', 'an object with useFactory'],
  ['isHealthy', (options) => indicator.isHealthy('key', options as never), 'options', 'an object with client'],
  ['certificates', (server) => serverIndicator.certificates('key', server as never), 'server', 'the GrpcServer'],
  ['observeMetrics', observeMetrics as Untyped, 'clients', 'a channel, a client, or GrpcLbRegistry'],
  ['Prometheus', observeForPrometheus as Untyped, 'clients', 'a channel, a client, or GrpcLbRegistry'],
  ['createBalancedChannel', createBalancedChannel as Untyped, 'options', 'an object with name, target'],
  ['createFleet', createFleet as Untyped, 'options', 'an object with client'],
];

describe.each(CALLS)('%s says which argument is wrong', (name, call, path, use) => {
  // Of an optional argument undefined is the default.
  test.each(name.startsWith('forFeature') ? [null, 5] : [undefined, null, 5])('%s', async (given) => {
    const found = given === undefined ? 'missing' : String(given);
    await expect((async () => call(given))()).rejects.toMatchObject({
      code: 'GRPC_LB_INVALID_OPTIONS',
      message: expect.stringContaining(`- ${path} is ${found}; use ${use}`),
    });
  });
});

describe('methods of clients and servers say which argument is wrong', () => {
  const NOT_AN_OBSERVER = /observe: the observer is .*; use an object with a method callStarted/;

  test.each([undefined, null, 5, { callStarted: true }])('%j', async (given) => {
    const wrong = given as never;
    const { server } = await startEcho();
    const EchoClient = echoClient('127.0.0.1:1', { name: 'ECHO' });
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])] });
    const registry = app.get(GrpcLbRegistry);
    const handle = registry.get('ECHO');
    const errors: [() => unknown, RegExp][] = [
      [() => registry.get(wrong), /- client is .* which is not declared/],
      [() => registry.observe(wrong), NOT_AN_OBSERVER],
      [() => handle.observe(wrong), NOT_AN_OBSERVER],
      [() => server.observe(wrong), NOT_AN_OBSERVER],
      [() => handle.getService(wrong), /- service is .*, which .* does not have; it has Echo/],
      [() => registry.drain('ECHO', wrong), /client ECHO: no endpoint is in use at .*; those in use are/],
      [() => registry.recycle('ECHO', wrong), /client ECHO: no endpoint is in use at/],
    ];
    // `undefined` is no call, whose next one is explained.
    if (typeof given !== 'object' || given === null)
      errors.push([() => registry.explain('ECHO', (given ?? null) as never), /the call to explain is (null|5); use/]);
    for (const [call, message] of errors)
      expect(call).toThrow(
        expect.objectContaining({
          code: expect.stringMatching(/^GRPC_LB_INVALID_/),
          message: expect.stringMatching(message),
        }),
      );
  });
});

test('an unknown option of forFeature is refused', () => {
  expect(() => GrpcLbModule.forFeature([], { global: true } as never)).toThrow(
    'GrpcLbModule.forFeature: an option is invalid\n  - options.global is not an option; did you mean "isGlobal"?',
  );
});

test.each([undefined, null, {}])('%j has no channel on which streams resume', (client) => {
  expect(() => resumingClient(client as never, [])).toThrow(/client is not on a channel of createBalancedChannel/);
});
