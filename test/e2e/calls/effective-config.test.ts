import * as grpc from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { Health } from '../../support/peers/health-watch.js';

test('new failure codes apply even if configure() gets the same policy object', async () => {
  const servers = await startBackends(2);
  const policy = { name: 'round_robin' } as const;
  const client = await new BalancedClient({ target: staticTarget(servers), loadBalancing: { policy } }).ready(2);
  client.balanced.configure({ policy, ejection: { failureCodes: ['NOT_FOUND'] } });
  servers[0]!.fail('NOT_FOUND');
  for (let i = 0; i < 20; i++) await client.say().catch(() => {});
  expect(client.states[servers[0]!.address]).toBe('ejected');
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
  const loadBalancing = { health: { panicThreshold: 0 } };
  const client = await new BalancedClient({ target: `static:///127.0.0.1:${port}`, loadBalancing }).ready(1);
  await expect.poll(() => watches).toBe(2);
  expect(client.events.filter(({ type }) => type === 'endpoint_state')).toHaveLength(1);
});
