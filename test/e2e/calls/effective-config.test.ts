import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { effectiveLoadBalancing } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { serviceConfigFor } from '../../../libs/grpc-lb/src/grpc/config/service-config.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { type EchoServer, startServers, staticTarget } from '../../support/echo/cluster.js';
import { Health } from '../../support/peers/health-watch.js';

let servers: EchoServer[] = [];
let client: BalancedClient | undefined;

afterEach(async () => {
  client?.close();
  await Promise.all(servers.map((server) => server.kill()));
});

test('new failure codes apply even if configure() gets the same policy object', async () => {
  servers = await startServers(2);
  const policy = { name: 'round_robin' } as const;
  client = await new BalancedClient({ target: staticTarget(servers), loadBalancing: { policy } }).ready(2);
  client.balanced.configure({ policy, ejection: { failureCodes: ['NOT_FOUND'] } });
  servers[0]!.behaviour.say = () => Promise.reject(Object.assign(new Error('x'), { code: grpc.status.NOT_FOUND }));
  for (let i = 0; i < 20; i++) await client.say().catch(() => {});
  expect(client.states[servers[0]!.address]).toBe('ejected');
});

describe('service config', () => {
  const service = 'orders.v1.Orders';
  const methods = [{ service, method: 'Find', responseStream: false }];
  const configOf = (options: object, given: object) =>
    serviceConfigFor(effectiveLoadBalancing(options), methods, given);

  test("the user's timeout for the whole service is not lost by @Retry", () => {
    const given = { methodConfig: [{ name: [{ service }], timeout: '1s', waitForReady: true }] };
    const config = configOf({ retry: {} }, given).methodConfig.find(({ name }) => name[0]!.method === 'Find');
    expect(config).toMatchObject({ timeout: { seconds: 1, nanos: 0 }, waitForReady: true });
  });

  test("the user's own retryThrottling is kept if the options have none", () => {
    const retryThrottling = { maxTokens: 5, tokenRatio: 0.5 };
    expect(configOf({ retry: {} }, { retryThrottling }).retryThrottling).toEqual(retryThrottling);
  });

  test('undefined counts as absent', () => {
    const retry = {
      maxAttempts: 5,
      methods: { Find: { maxAttempts: undefined } },
      throttling: { maxTokens: undefined },
    };
    const config = configOf({ retry }, {});
    expect(config.retryThrottling).toEqual({ maxTokens: 100, tokenRatio: 0.1 });
    expect(config.methodConfig[0]!.retryPolicy).toMatchObject({ maxAttempts: 5 });
  });
});

test('a health watch that has answered and is cut, as by a proxy, is reopened, and the endpoint stays in rotation', async () => {
  let watches = 0;
  const server = new grpc.Server();
  server.addService(Health.service, {
    Watch: (call: grpc.ServerWritableStream<unknown, { status: string }>) => {
      call.write({ status: 'SERVING' });
      if (++watches === 1) setTimeout(() => call.end(), 50);
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  closeWithTest(() => server.forceShutdown());
  servers = [];
  const loadBalancing = { health: { panicThreshold: 0 } };
  client = await new BalancedClient({ target: `static:///127.0.0.1:${port}`, loadBalancing }).ready(1);
  await expect.poll(() => watches, { timeout: 15_000 }).toBe(2);
  expect(client.events.filter(({ type }) => type === 'endpoint_state')).toHaveLength(1);
});
