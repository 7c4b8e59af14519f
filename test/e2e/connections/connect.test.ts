import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { type FleetBackend, freePort } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { BalancedClient, cancelled, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';
import { SilentServer } from '../../support/peers/silent-server.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';

expectNoLeaks();

let servers: FleetBackend[] = [];
let client: BalancedClient;

test('a peer that accepts and never speaks HTTP/2 is given up after connectTimeout, and its socket is closed', async () => {
  const silent = await new SilentServer().start();
  closeWithTest(() => silent.stop());
  servers = await startBackends(1);
  client = new BalancedClient({
    target: `static:///127.0.0.1:${silent.port},${servers[0]!.address}`,
    // Longer than grpc-js's first backoff, after which it would try again before the old socket has closed.
    loadBalancing: { pool: { connectTimeout: 1300 } },
  });
  await Promise.all(Array.from({ length: 20 }, () => client.say()));
  await client.until(() => Object.values(client.states).includes('transient_failure'));
  expect(client.snapshot.endpoints[0]).toMatchObject({
    state: 'transient_failure',
    reason: 'no HTTP/2 connection within the connectTimeout of 1300 ms',
    started: 0,
  });
  // The next attempt comes after the backoff, and is given up in the same way.
  await expect.poll(() => silent.accepted).toBe(2);
  expect(client.snapshot.endpoints[0]!.reason).toContain('connectTimeout of 1300 ms');
  client.close();
  await expect.poll(() => silent.open).toBe(0);
});

test('if no endpoint answers, calls fail at once with the reason', async () => {
  const port = await freePort();
  client = new BalancedClient({ target: `static:///127.0.0.1:${port}` });
  await expect(client.say()).rejects.toMatchObject({
    code: grpc.status.UNAVAILABLE,
    details: expect.stringMatching(/client ECHO: the only endpoint is not ready: .*ECONNREFUSED/),
  });
  expect(client.snapshot.state).toBe('transient_failure');
  // Sticky: attempts continue, and calls keep failing at once, until a connection is ready.
  await expect(client.say()).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
});

test('a call with waitForReady goes out when the endpoint comes up', async () => {
  servers = await startBackends(1);
  const [server] = servers as [FleetBackend];
  await server.stop();
  client = new BalancedClient({ target: `static:///${server.address}` });
  await expect(client.say()).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
  const patient = client.say('patient', { waitForReady: true });
  await server.restart();
  await expect(patient).resolves.toMatchObject({ server: server.address });
});

test('a lost connection takes its endpoint out at once, refreshes discovery, and reconnects by itself', async () => {
  servers = await startBackends(2);
  const [first] = servers as [FleetBackend, FleetBackend];
  const discovery = new ManualDiscovery(servers);
  client = await new BalancedClient({ target: discovery.target }).ready(2);
  const cut = first.cut();
  await client.until(() => client.states[first.address] === 'connecting');
  await cut;
  expect(discovery.refreshes).toBe(1);
  await Promise.all(Array.from({ length: 10 }, () => client.say()));
  await client.ready(2);
  expect(client.snapshot.endpoints[0]!.connections).toHaveLength(1);
});

test('when one of two backends dies under load, only its calls in flight fail, and it is used again when it returns', async () => {
  servers = await startBackends(2);
  const [first, second] = servers as [FleetBackend, FleetBackend];
  client = await new BalancedClient({ target: staticTarget(servers) }).ready(2);
  const load = new SteadyLoad(() => client.say(), 500);
  await load.run(50);
  await first.stop();
  await client.until(() => client.states[first.address] !== 'ready');
  // How many were in flight there depends on the machine; all that failed were among them.
  await expect.poll(() => client.snapshot.endpoints[0]!.inFlight).toBe(0);
  const [dead, alive] = client.snapshot.endpoints;
  expect(load.failures.splice(0).length).toBeLessThanOrEqual(dead!.failed);
  expect(alive!.failed).toBe(0);
  await load.run(50);
  await first.restart();
  await client.ready(2);
  const before = first.calls;
  // It starts slowly: of the first calls it is considered for one in forty.
  await load.until(() => first.calls > before || load.failures.length > 0);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(second.calls).toBeGreaterThan(0);
});

test('a call that a server refuses before it runs is retried elsewhere without a retry policy', async () => {
  servers = await startBackends(1);
  let refused = 0;
  const refusing = http2.createServer().on('stream', (stream) => {
    refused++;
    stream.on('error', () => {}).close(http2.constants.NGHTTP2_REFUSED_STREAM);
  });
  refusing.listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  const target = `static:///127.0.0.1:${(refusing.address() as net.AddressInfo).port},${servers[0]!.address}`;
  const loadBalancing = { policy: 'round_robin', health: { enabled: false } } as const;
  client = await new BalancedClient({ target, loadBalancing }).ready(2);
  for (let i = 0; i < 10; i++) await client.say();
  expect(servers[0]!.calls).toBe(10);
  expect(refused).toBeGreaterThan(0);
  client.close();
  refusing.close();
  await once(refusing, 'close');
});

test('a retry policy of the user applies, and each attempt is balanced', async () => {
  servers = await startBackends(2);
  const [bad, good] = servers as [FleetBackend, FleetBackend];
  bad.fail('UNAVAILABLE');
  const retryPolicy = {
    maxAttempts: 5,
    initialBackoff: '0.01s',
    maxBackoff: '0.01s',
    backoffMultiplier: 1,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  client = await new BalancedClient({
    target: staticTarget(servers),
    loadBalancing: { policy: 'round_robin' },
    channelOptions: {
      'grpc.service_config': JSON.stringify({ methodConfig: [{ name: [{ service: 'echo.v1.Echo' }], retryPolicy }] }),
    },
  }).ready(2);
  const answers = await Promise.all(Array.from({ length: 10 }, () => client.say()));
  expect(answers.map(({ server }) => server)).toEqual(Array.from({ length: 10 }, () => good.address));
  expect(bad.calls).toBeGreaterThan(0);
  expect(client.snapshot.endpoints.map(({ failed }) => failed)).toEqual([bad.calls, 0]);
});

test('connections older than maxConnectionAge are replaced, each only when its successor is ready, and no call or stream is lost', async () => {
  servers = await startBackends(1);
  const [server] = servers as [FleetBackend];
  client = await new BalancedClient({
    target: staticTarget(servers),
    loadBalancing: { pool: { size: 2, maxConnectionAge: 1000 } },
  }).ready(1);
  const { stream } = await client.openStream();
  const cut: Error[] = [];
  stream.on('error', (error) => cut.push(error));
  const load = new SteadyLoad(() => client.say(), 200);
  await client.until(() => client.events.filter(({ type }) => type === 'connection_closed').length >= 3);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(cut).toEqual([]);
  expect(server.accepted).toBeGreaterThanOrEqual(5);
  // The one that carries the stream is still there, and gets no new calls.
  const retiring = client.snapshot.endpoints[0]!.connections.filter(({ state }) => state === 'retiring');
  expect(retiring).toMatchObject([{ inFlight: 1 }]);
  expect(client.events.filter(({ type }) => type === 'client_state').map((event) => 'to' in event && event.to)).toEqual(
    ['connecting', 'ready'],
  );
  await cancelled(stream);
});

test('a server that leaves with GOAWAY loses no stream that it still serves', async () => {
  servers = await startBackends(2);
  client = await new BalancedClient({ target: staticTarget(servers) }).ready(2);
  const [leaving, staying] = servers as [FleetBackend, FleetBackend];
  for (const server of servers) server.hang();
  const calls = [client.say('kept'), client.say('kept')];
  await eventually(() => leaving.inFlight === 1 && staying.inFlight === 1);
  const gone = leaving.drain();
  await client.until(() => client.states[leaving.address] !== 'ready');
  staying.recover();
  await Promise.all(Array.from({ length: 10 }, () => client.say()));
  expect(leaving.inFlight).toBe(1);
  leaving.recover();
  await expect(Promise.all(calls)).resolves.toMatchObject([{ text: 'kept' }, { text: 'kept' }]);
  await gone;
});
