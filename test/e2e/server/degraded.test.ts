import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { RpcException } from '@nestjs/microservices';
import { expect, onTestFinished, test } from 'vitest';
import { BalancedClient, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { startEcho } from '../../support/server/app.js';

expectNoLeaks();

function clientOf(target: string): BalancedClient {
  const client = new BalancedClient({ target, loadBalancing: { slowStart: { enabled: false } } });
  onTestFinished(() => client.close());
  return client;
}

const endpointOf = ({ snapshot }: BalancedClient, address: string) =>
  snapshot.endpoints.find((each) => each.address === address)!;

/** Calls one after the other, until what the answers say has that effect. */
async function sayUntil(client: BalancedClient, condition: () => boolean): Promise<void> {
  while (!condition()) await client.say();
}

test('a server that says that it is degraded gets calls only while the others cannot carry all', async () => {
  const servers = await Promise.all([startEcho(), startEcho(), startEcho({ loadReports: { trailer: true } })]);
  const client = clientOf(`static:///${servers.map(({ address }) => address).join(',')}`);
  await client.ready(3);
  const [, , third] = servers;
  third!.server.setDegraded('replica lags by 40 s – \n since noon');
  expect(third!.server.degraded).toBe('replica lags by 40 s since noon');
  await sayUntil(client, () => client.states[third!.address] === 'degraded');
  const before = endpointOf(client, third!.address).started;
  await Promise.all(Array.from({ length: 60 }, () => client.say()));
  expect(endpointOf(client, third!.address)).toMatchObject({
    started: before,
    reason: 'it says that it is degraded: replica lags by 40 s since noon',
  });
  expect(client.snapshot.priorities).toMatchObject([{ endpoints: 3, healthy: 2, degraded: 1, share: 1 }]);
  // Where all are degraded, none is preferred, and no call is lost.
  for (const { server } of servers.slice(0, 2)) server.setDegraded('so are we');
  await sayUntil(client, () => servers.every(({ address }) => client.states[address] === 'degraded'));
  await Promise.all(Array.from({ length: 60 }, () => client.say()));
  expect(endpointOf(client, third!.address).started).toBeGreaterThan(before);
  expect(client.snapshot).toMatchObject({ state: 'ready', panic: false });
  for (const { server } of servers) server.setDegraded(false);
  // One may stay degraded until it is forgotten, as two can carry all calls.
  await sayUntil(client, () => client.snapshot.priorities[0]!.healthy >= 2);
});

test('a handler that passes on the error of a degraded server is not degraded itself, and says so only if it is', async () => {
  const [front, back] = await Promise.all([startEcho({ loadReports: { trailer: true } }), startEcho()]);
  back.server.setDegraded('its replica lags');
  back.handlers.say = () => {
    throw new RpcException({ code: status.FAILED_PRECONDITION, message: 'not now' });
  };
  const inner = clientOf(`static:///${back.address}`);
  let seen: Metadata | undefined;
  front.handlers.say = async (line) => {
    try {
      return await inner.say(line.text);
    } catch (error) {
      const { code, metadata } = error as ServiceError;
      seen = metadata;
      throw new RpcException({ code, message: 'passed on', metadata });
    }
  };
  const client = clientOf(`static:///${front.address}`);
  await expect(client.say()).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
  expect(seen?.getMap()).not.toHaveProperty('grpc-lb-degraded');
  expect([inner.states, client.states]).toEqual([{ [back.address]: 'degraded' }, { [front.address]: 'ready' }]);
});

test('what discovery lists as degraded is used last, and a list without it makes it like the others', async () => {
  const servers = await Promise.all([startEcho(), startEcho()]);
  const discovery = new ManualDiscovery();
  const list = (degraded: boolean) =>
    servers.map(({ address }, i) => {
      const [host, port] = address.split(':');
      return { address: { host: host!, port: Number(port) }, degraded: degraded && i === 0 };
    });
  discovery.setEndpoints(list(true));
  const client = clientOf(discovery.target);
  client.balanced.connect();
  await client.until(
    () => client.states[servers[1]!.address] === 'ready' && client.states[servers[0]!.address] === 'degraded',
  );
  await Promise.all(Array.from({ length: 20 }, () => client.say()));
  expect(endpointOf(client, servers[0]!.address)).toMatchObject({
    started: 0,
    reason: 'discovery lists it as degraded',
  });
  expect(client.balanced.explain().endpoints).toMatchObject([
    { chance: 0, why: 'degraded: discovery lists it as degraded' },
    { chance: 1 },
  ]);
  discovery.setEndpoints(list(false));
  await client.until(() => client.states[servers[0]!.address] === 'ready');
  await Promise.all(Array.from({ length: 20 }, () => client.say()));
  expect(endpointOf(client, servers[0]!.address).started).toBeGreaterThan(0);
});

test('a reason that is neither a text nor false is refused with what to pass, and changes nothing', async () => {
  const { server } = await startEcho();
  server.setDegraded('its replica lags');
  for (const [reason, text] of [
    [true, 'true'],
    [undefined, 'undefined'],
    [null, 'null'],
    [503, '503'],
  ] as const) {
    const fault = `setDegraded: the reason is ${text}; use a text that says why, as in 'the replica lags', or false when it is over`;
    expect(() => server.setDegraded(reason as never)).toThrow(
      expect.objectContaining({ code: 'GRPC_LB_INVALID_ARGUMENT', message: fault }) as Error,
    );
  }
  expect(server.degraded).toBe('its replica lags');
});
