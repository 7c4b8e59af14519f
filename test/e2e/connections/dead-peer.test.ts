import { once } from 'node:events';
import http2 from 'node:http2';
import type net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { afterEach, expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackend, startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import type { EndpointSnapshot } from '../../../libs/grpc-lb/src/core/snapshot.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

let client: BalancedClient;
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  client.close();
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Time for data in transit between the client and its servers. */
async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

test('a peer that stalls for 19 s gets no new calls meanwhile, loses none, and gets calls at once when it resumes', async () => {
  const servers = await startBackends(3);
  const [stalled, ...live] = servers as [FleetBackend, ...FleetBackend[]];
  const clock = new FakeClock();
  client = await new BalancedClient({ target: staticTarget(servers), clock }).ready(3);
  for (const server of servers) server.hang();
  const calls = Array.from({ length: 150 }, () => client.say());
  await expect.poll(() => servers.map(({ inFlight }) => inFlight)).toEqual([50, 50, 50]);
  stalled.partition();
  // No call waits for the others, so nothing depends on how soon they answer a PING.
  for (const server of live) server.recover();
  await expect.poll(() => client.snapshot.inFlight).toBe(50);
  const endpoint = (): EndpointSnapshot => client.snapshot.endpoints[0]!;
  // The first check finds the answers of the health watches; the second sends a PING.
  for (let ms = 0; endpoint().state === 'ready' && ms < 5000; ms += 250) {
    clock.advance(250);
    await turns();
  }
  expect(clock.now()).toBeLessThanOrEqual(3000);
  expect(endpoint()).toMatchObject({
    state: 'suspect',
    reason: 'no answer to a PING for 1000 ms, after 1000 ms without data; calls in flight may still be answered',
    inFlight: 50,
  });
  expect(client.snapshot.panic).toBe(false);
  const explained = client.balanced.explain().endpoints[0]!;
  expect(explained).toMatchObject({ chance: 0, why: expect.stringMatching(/^suspect: no answer to a PING/) });
  await Promise.all(Array.from({ length: 100 }, () => client.say()));
  expect(endpoint()).toMatchObject({ started: 50, inFlight: 50 });
  clock.advance(17_000);
  expect(endpoint().state).toBe('suspect');
  stalled.recover();
  stalled.heal();
  await Promise.all(calls);
  clock.advance(250);
  await client.until(() => endpoint().state === 'ready');
  expect(endpoint()).toMatchObject({ warmth: 1, succeeded: 50, failed: 0 });
  expect(client.events.filter(({ type }) => type === 'connection_closed')).toEqual([]);
  expect(client.events.filter(({ type }) => type === 'connection_opened')).toHaveLength(3);
});

test('when all peers are silent, all are used: the client itself may be cut off', async () => {
  const servers = await startBackends(2);
  const clock = new FakeClock();
  client = await new BalancedClient({ target: staticTarget(servers), clock }).ready(2);
  for (const server of servers) server.partition();
  const calls = [client.say(), client.say(), client.say(), client.say()];
  for (const call of calls) call.catch(() => {});
  for (let ms = 0; !client.snapshot.panic && ms < 5000; ms += 250) {
    clock.advance(250);
    await turns();
  }
  expect(Object.values(client.states)).toEqual(['suspect', 'suspect']);
  expect(client.snapshot.state).toBe('ready');
  expect(client.balanced.explain()).toMatchObject({
    rule: expect.stringContaining('Panic: none of 2 connected endpoints is healthy, so calls go to all of them'),
    next: 'is sent at once, but may fail: panic, and no endpoint is healthy',
  });
  calls.push(client.say(), client.say());
  await expect.poll(() => client.snapshot.inFlight).toBe(6);
  for (const server of servers) server.heal();
  await Promise.all(calls);
});

test('calls on a connection whose peer is dead end with UNAVAILABLE, so that a retry helps', async () => {
  const server = await startBackend();
  server.hang();
  const clock = new FakeClock();
  const loadBalancing = { pool: { pingAfter: 50, pingTimeout: 50 } };
  client = await new BalancedClient({ target: staticTarget([server]), clock, loadBalancing }).ready(1);
  const call = client.say();
  await expect.poll(() => server.inFlight).toBe(1);
  server.partition();
  call.catch(() => {});
  // The first check finds the call's data, the second sends a PING, the third finds no answer.
  for (let check = 0; check < 3; check++) {
    clock.advance(50);
    await turns();
  }
  await expect(call).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
  await client.until(() => client.events.some(({ type }) => type === 'connection_closed'));
  expect(client.events.find(({ type }) => type === 'connection_closed')).toMatchObject({
    reason: 'no answer to a PING within 50 ms, after 50 ms without data',
  });
});

test('a connection that is silent because nothing happens is pinged once, not repeatedly', async () => {
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
  // The first check finds that headers have arrived, the second that nothing has arrived since.
  clock.advance(2000);
  const timers = clock.pendingTimers;
  await asked;
  // The answer to the PING is a sign of life, and the silence after it the same as before.
  await expect.poll(() => clock.pendingTimers).toBe(timers - 1);
  clock.advance(60_000);
  expect(pings).toBe(1);
  expect(client.snapshot.endpoints[0]!.state).toBe('ready');
  const ended = new Promise((resolve) => stream.once('error', resolve));
  stream.cancel();
  await ended;
});
