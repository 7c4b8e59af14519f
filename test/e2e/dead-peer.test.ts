import { once } from 'node:events';
import http2 from 'node:http2';
import type net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { BalancedClient } from '../support/balanced-client.js';
import { deferred, type EchoServer, startServers } from '../support/cluster.js';
import { FakeClock } from '../support/fake-clock.js';
import { expectNoLeaks } from '../support/leaks.js';
import { SteadyLoad } from '../support/steady-load.js';
import { TcpProxy } from '../support/tcp-proxy.js';

expectNoLeaks();

let client: BalancedClient;
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  client.close();
  for (const close of closing.splice(0).toReversed()) await close();
});

async function behindProxies(count: number): Promise<{ servers: EchoServer[]; proxies: TcpProxy[] }> {
  const servers = await startServers(count);
  const proxies = await Promise.all(servers.map(({ address }) => new TcpProxy(address).start()));
  closing.push(
    () => Promise.all(servers.map((server) => server.kill())),
    () => Promise.all(proxies.map((proxy) => proxy.stop())),
  );
  return { servers, proxies };
}

test('a peer that falls silent is out of rotation within 3 s, and comes back when it answers again', async () => {
  const { servers, proxies } = await behindProxies(3);
  for (const server of servers) {
    server.behaviour.say = async () => {
      await delay(20);
      return {};
    };
  }
  const target = `static:///${proxies.map(({ address }) => address).join(',')}`;
  const loadBalancing = { pool: { connectTimeout: 500 } };
  client = await new BalancedClient({ target, loadBalancing }).ready(3);
  const load = new SteadyLoad(() => client.say('x', { deadline: Date.now() + 1000 }), 300);
  await load.run(100);
  const [silent] = proxies as [TcpProxy];
  const inFlight = client.snapshot.inFlight;
  silent.freeze();
  const began = performance.now();
  await client.until(() => client.states[silent.address] !== 'ready');
  const noticed = performance.now() - began;
  expect(noticed).toBeLessThan(3000);
  // Those in flight there, and the few that its growing load still let through.
  expect(load.failures.length).toBeLessThanOrEqual(inFlight + 10);
  const failed = load.failures.splice(0).map((error) => (error as grpc.ServiceError).code);
  expect(new Set(failed)).toSatisfy((codes: Set<grpc.status>) =>
    [...codes].every((code) => code === grpc.status.DEADLINE_EXCEEDED || code === grpc.status.UNAVAILABLE),
  );
  silent.thaw();
  await client.ready(3);
  await load.stop();
});

test('calls on a connection whose peer is dead end with UNAVAILABLE, so that a retry helps', async () => {
  const { servers, proxies } = await behindProxies(1);
  const arrived = deferred();
  servers[0]!.behaviour.say = () => {
    arrived.resolve();
    return new Promise(() => {});
  };
  const loadBalancing = { pool: { pingAfter: 50, pingTimeout: 50 } };
  client = await new BalancedClient({ target: `static:///${proxies[0]!.address}`, loadBalancing }).ready(1);
  const call = client.say();
  await arrived.promise;
  proxies[0]!.freeze();
  await expect(call).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
  await client.until(() => client.events.some(({ type }) => type === 'connection_closed'));
  expect(client.events.find(({ type }) => type === 'connection_closed')).toMatchObject({
    reason: 'no answer to a PING within 50 ms, after 50 ms without a byte',
  });
});

test('a connection on which all is silent because nothing happens is asked once, not again and again', async () => {
  const clock = new FakeClock();
  let pings = 0;
  const pinged: (() => void)[] = [];
  const server = http2.createServer().on('session', (session) => {
    session.on('ping', () => {
      pings++;
      pinged.shift()?.();
    });
  });
  server.on('stream', (stream) =>
    stream.on('error', () => {}).respond({ ':status': 200, 'content-type': 'application/grpc' }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as net.AddressInfo;
  const loadBalancing = { health: { enabled: false }, pool: { pingAfter: 1000, pingTimeout: 1000 } };
  client = await new BalancedClient({ target: `static:///127.0.0.1:${port}`, clock, loadBalancing }).ready(1);
  const stream = client.echo.Repeat({ text: 'x', times: 0 });
  await new Promise((resolve) => stream.once('metadata', resolve));
  const asked = new Promise<void>((resolve) => pinged.push(resolve));
  // The first look finds that the headers have come, the second that nothing has come since.
  clock.advance(2000);
  await asked;
  // The answer to the PING is a sign of life, and the silence after it the same as before.
  await expect.poll(() => client.snapshot.endpoints[0]!.state).toBe('ready');
  await delay(20);
  clock.advance(60_000);
  expect(pings).toBe(1);
  expect(client.snapshot.endpoints[0]!.state).toBe('ready');
  const ended = new Promise((resolve) => stream.once('error', resolve));
  stream.cancel();
  await ended;
});
