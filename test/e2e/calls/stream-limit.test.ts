import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { BalancedClient, cancelled } from '../../support/echo/balanced-client.js';
import { answerBy, startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const LIMIT_OF_TWO = [{ maxConcurrentStreams: 2 }];

let servers: FleetBackend[] = [];
let client: BalancedClient;

async function streamsTo(server: FleetBackend, count: number): Promise<grpc.ClientReadableStream<unknown>[]> {
  const streams = [];
  while (streams.length < count) {
    const { stream, server: by } = await client.openStream();
    if (by === server.address) streams.push(stream);
    else await cancelled(stream);
  }
  return streams;
}

/**
 * Opens streams that end when this side ends them. Servers of Node 22.23 and later refuse a stream that takes the place
 * of one which was canceled in the same turn (docs/guide/runtimes.md).
 */
async function conversations(count: number): Promise<ReturnType<typeof client.echo.Talk>[]> {
  const open = Array.from({ length: count }, () => client.echo.Talk());
  for (const stream of open) {
    stream.write({ text: 'x' });
    await once(stream, 'data');
    stream.resume();
  }
  return open;
}

test('of two backends one is full of streams: no unary call waits or fails', async () => {
  servers = await startBackends([...LIMIT_OF_TWO, {}]);
  const [full, free] = servers as [FleetBackend, FleetBackend];
  // Round robin is the policy most likely to send calls to a full endpoint.
  client = await new BalancedClient({
    target: staticTarget(servers),
    loadBalancing: { policy: 'round_robin', pool: { maxSize: 1 } },
  }).ready(2);
  const streams = await streamsTo(full, 2);
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => client.say('x', { deadline: Date.now() + 5000 })),
  );
  expect(new Set(answers.map(({ server }) => server))).toEqual(new Set([free.address]));
  expect(client.events.filter(({ type }) => type === 'pool_saturated')).toEqual([]);
  for (const stream of streams) stream.cancel();
});

test('the limit is the one that the peer announces', async () => {
  servers = await startBackends(LIMIT_OF_TWO);
  client = await new BalancedClient({ target: staticTarget(servers) }).ready(1);
  expect(client.snapshot.endpoints[0]!.connections[0]!.maxConcurrentStreams).toBe(2);
});

test('a lower limit may be configured, a higher one is ignored', async () => {
  servers = await startBackends(LIMIT_OF_TWO);
  const limitWith = async (maxConcurrentStreams: number): Promise<number> => {
    client = await new BalancedClient({
      target: staticTarget(servers),
      loadBalancing: { pool: { maxConcurrentStreams } },
    }).ready(1);
    const limit = client.snapshot.endpoints[0]!.connections[0]!.maxConcurrentStreams;
    client.close();
    return limit;
  };
  expect([await limitWith(1), await limitWith(50)]).toEqual([1, 2]);
});

test('when every connection is full more are opened, up to maxSize, and pending calls go out on them', async () => {
  servers = await startBackends(LIMIT_OF_TWO);
  const [server] = servers as [FleetBackend];
  client = await new BalancedClient({ target: staticTarget(servers), loadBalancing: { pool: { maxSize: 3 } } }).ready(
    1,
  );
  server.hang();
  const all = Array.from({ length: 8 }, () => client.say());
  await eventually(() => server.calls === 6);
  // Three connections with two calls each; two more calls wait, and there is no fourth connection.
  expect(client.snapshot.endpoints[0]!.connections.map(({ inFlight }) => inFlight)).toEqual([2, 2, 2]);
  expect(client.snapshot.pending).toBe(2);
  expect(server.accepted).toBe(3);
  server.recover();
  await expect(Promise.all(all)).resolves.toHaveLength(8);
  expect(client.snapshot).toMatchObject({ inFlight: 0, pending: 0 });
});

test('pending calls go out in order as soon as there is room', async () => {
  servers = await startBackends(LIMIT_OF_TWO);
  const [server] = servers as [FleetBackend];
  client = await new BalancedClient({ target: staticTarget(servers), loadBalancing: { pool: { maxSize: 1 } } }).ready(
    1,
  );
  const arrived: string[] = [];
  answerBy(server, ({ text }) => {
    arrived.push(text);
    return {};
  });
  await Promise.all(Array.from({ length: 50 }, (_, i) => client.say(`${i}`)));
  expect(arrived).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
});

test('at most maxPending calls wait, and one more fails with RESOURCE_EXHAUSTED and the limit', async () => {
  servers = await startBackends(LIMIT_OF_TWO);
  client = await new BalancedClient({
    target: staticTarget(servers),
    loadBalancing: { pool: { maxSize: 1, maxPending: 3 } },
  }).ready(1);
  const streams = await conversations(2);
  const waiting = Array.from({ length: 3 }, () => client.say());
  await expect(client.say()).rejects.toMatchObject({
    code: grpc.status.RESOURCE_EXHAUSTED,
    details: expect.stringMatching(
      /client ECHO: .*3 calls are already pending \(pool\.maxPending 3, pool\.size 1, pool\.maxSize 1\)/,
    ),
  });
  expect(client.snapshot.pending).toBe(3);
  expect(
    client.events.filter(({ type }) => type === 'pool_saturated' || type === 'call_rejected').map(({ type }) => type),
  ).toEqual(['pool_saturated', 'call_rejected']);
  for (const stream of streams) stream.end();
  await expect(Promise.all(waiting)).resolves.toHaveLength(3);
});

test('a pending call obeys its deadline, and then makes room for another one', async () => {
  servers = await startBackends(LIMIT_OF_TWO);
  client = await new BalancedClient({
    target: staticTarget(servers),
    loadBalancing: { pool: { maxSize: 1, maxPending: 1 } },
  }).ready(1);
  const streams = await conversations(2);
  for (let i = 0; i < 3; i++) {
    await expect(client.say('x', { deadline: Date.now() + 50 })).rejects.toMatchObject({
      code: grpc.status.DEADLINE_EXCEEDED,
    });
  }
  const waiting = client.say();
  streams[0]!.end();
  await expect(waiting).resolves.toMatchObject({ text: 'hello' });
  await once(streams[1]!.end(), 'end');
});

test('connections beyond size are closed when they have not been needed for idleTimeout', async () => {
  servers = await startBackends(LIMIT_OF_TWO);
  client = await new BalancedClient({
    target: staticTarget(servers),
    loadBalancing: { pool: { idleTimeout: 1000 } },
  }).ready(1);
  await Promise.all(Array.from({ length: 8 }, () => client.say()));
  const connections = (): number => client.snapshot.endpoints[0]!.connections.length;
  expect(connections()).toBeGreaterThan(1);
  await client.until(() => connections() === 1);
  expect(client.events.findLast(({ type }) => type === 'connection_closed')).toMatchObject({ reason: 'retired: idle' });
});
