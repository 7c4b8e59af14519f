import * as grpc from '@grpc/grpc-js';
import { experimental } from '@grpc/grpc-js';
import { register } from 'nestjs-grpc-lb/grpc';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assertCapabilities } from '../../../libs/grpc-lb/src/grpc/capabilities.js';
import { startBackends } from '../../support/echo/backends.js';
import { Echo, type Line, staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

describe('a bare grpc-js client, after register()', () => {
  let servers: FleetBackend[];
  let client: grpc.Client;

  beforeEach(async () => {
    register();
    servers = await startBackends(3);
  });

  afterEach(async () => {
    client.close();
    await Promise.all(servers.map((server) => server.stop()));
  });

  function connect(loadBalancingConfig: object, target = staticTarget(servers)): void {
    const options = { 'grpc.service_config': JSON.stringify({ loadBalancingConfig: [loadBalancingConfig] }) };
    client = new Echo(target, grpc.credentials.createInsecure(), options);
  }

  const say = (): Promise<Line> =>
    new Promise((resolve, reject) => {
      const echo = client as never as { Say(line: object, done: grpc.requestCallback<Line>): void };
      echo.Say({ text: 'hello' }, (error, line) => (error ? reject(error) : resolve(line!)));
    });

  const callEach = async (): Promise<void> => {
    while (servers.some(({ calls }) => calls === 0)) await say();
  };

  test('calling it twice does no harm', () => {
    register();
    connect({ grpc_lb: {} });
  });

  test.each([
    ['the defaults', { grpc_lb: {} }],
    ['round robin by name', { grpc_lb: { policy: 'round_robin' } }],
    ['a pool', { grpc_lb: { policy: { name: 'least_request', choiceCount: 2 }, pool: { size: 2 } } }],
    ['least request as gRFC A48 names it', { least_request_experimental: { choiceCount: 2 } }],
    ['a choice count that A48 clamps to 10', { least_request_experimental: { choiceCount: 50 } }],
  ])('balances by a service config: %s', async (_, config) => {
    connect(config);
    await callEach();
  });

  test('any source may be used through the scheme grpc-lb', async () => {
    connect({ grpc_lb: {} }, `grpc-lb:${staticTarget(servers)}`);
    await callEach();
  });

  test('localhost is resolved by our DNS source through the scheme grpc-lb', async () => {
    connect({ grpc_lb: {} }, `grpc-lb:dns:///localhost:${servers[0]!.port}`);
    await expect(say()).resolves.toMatchObject({ text: 'hello' });
  });

  test('a misspelled policy fails every call with the reason, where grpc-js would silently use pick_first', async () => {
    connect({ grpc_lb: { policy: 'lest_request', pool: { sise: 2 } } });
    await expect(say()).rejects.toMatchObject({
      code: grpc.status.UNAVAILABLE,
      details: expect.stringMatching(
        /policy is "lest_request".*did you mean "least_request".*grpc_lb\.pool\.sise is not an option/,
      ),
    });
  });

  test('a choice count below 2 is rejected, as gRFC A48 requires', async () => {
    connect({ least_request_experimental: { choiceCount: 1 } });
    await expect(say()).rejects.toMatchObject({
      details: expect.stringContaining('choiceCount is 1; use a whole number of 2 or more'),
    });
  });
});

test('a grpc-js without the required features is rejected with the versions that have them', () => {
  const { registerResolver: _, ...lacking } = experimental as unknown as Record<string, unknown>;
  expect(() => assertCapabilities(lacking)).toThrow(
    /needs @grpc\/grpc-js \^1\.14\.0: the installed version lacks experimental\.registerResolver; install/,
  );
  expect(() => assertCapabilities(undefined)).toThrow(/needs @grpc\/grpc-js/);
  expect(() => assertCapabilities(experimental as unknown as Record<string, unknown>, {})).toThrow(
    /the installed version lacks Metadata\.toHttp2Headers; install/,
  );
});
