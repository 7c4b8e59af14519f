import * as grpc from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { HealthWatch } from '../../../libs/grpc-lb/src/grpc/endpoint/health-watch.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { Health } from '../../support/peers/health-watch.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { Mailbox } from '../../support/run/mailbox.js';
import { watchPeer } from '../../support/peers/watch-peer.js';

expectNoLeaks();

type WatchCall = grpc.ServerWritableStream<{ service: string }, { status: string }>;

/** A watch on a clock of its own, over a connection to a server that answers by hand. */
async function watch(service = '', withHealth = true, metadata = {}) {
  const calls = new Mailbox<WatchCall>();
  const server = new grpc.Server();
  if (withHealth) {
    server.addService(Health.service, {
      Watch: (call: WatchCall) => {
        call.on('error', () => {});
        calls.put(call);
      },
    });
  }
  const port = await new Promise<number>((resolve, reject) => {
    const insecure = grpc.ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', insecure, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  onTestFinished(() => server.forceShutdown());
  const peer = await watchPeer(port);
  const clock = new FakeClock();
  const told = new Mailbox<string>();
  const backedOff: string[] = [];
  const healthWatch = new HealthWatch(peer, { service, metadata }, clock, () => 0.5, {
    healthChanged: (health, reason) => told.put(`${health}: ${reason}`),
    notOffered: (why) => told.put(`not offered: ${why}`),
    backedOff: (reason) => backedOff.push(reason),
    openChanged: () => {},
  });
  onTestFinished(() => healthWatch.stop());
  return { healthWatch, clock, calls, told, backedOff };
}

/** Until the watch is opened again, in milliseconds; 0 while it is open. */
const waitOf = (clock: FakeClock): number => Math.round(clock.nextIn ?? 0);

const failing = (code: grpc.status, details: string) => Object.assign(new Error(details), { code, details });

test('watches the service, and reports each answer', async () => {
  const { calls, told, healthWatch } = await watch('orders.v1.Orders');
  const call = await calls.next();
  expect(call.request).toEqual({ service: 'orders.v1.Orders' });
  expect(told.empty).toBe(true);
  for (const [status, text] of [
    ['SERVING', 'serving: null'],
    ['NOT_SERVING', 'not_serving: health of orders.v1.Orders: NOT_SERVING'],
    ['SERVING', 'serving: null'],
    ['UNKNOWN', 'not_serving: health of orders.v1.Orders: UNKNOWN'],
    ['SERVICE_UNKNOWN', 'not_serving: health of orders.v1.Orders: SERVICE_UNKNOWN'],
  ]) {
    call.write({ status: status! });
    expect(await told.next()).toBe(text);
  }
  healthWatch.stop();
});

test('a server without the service is healthy, and is not watched again', async () => {
  const { told, clock, healthWatch } = await watch('', false);
  expect(await told.next()).toBe('not offered: UNIMPLEMENTED');
  expect(healthWatch.open).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});

test('a watch that fails does not affect health, and is reopened with a backoff up to 30 s', async () => {
  const { calls, told, clock } = await watch();
  const waits: number[] = [];
  for (let i = 0; i < 10; i++) {
    (await calls.next()).emit('error', failing(grpc.status.INTERNAL, `ill ${i}`));
    await expect.poll(() => waitOf(clock)).toBeGreaterThan(0);
    waits.push(waitOf(clock));
    clock.advance(clock.nextIn!);
  }
  expect(await told.next()).toBe('not_serving: the health watch failed: ill 0');
  // 1.6 times as long each time; the jitter is in the middle of its range here.
  expect(waits).toEqual([1000, 1600, 2560, 4096, 6554, 10_486, 16_777, 26_844, 30_000, 30_000]);
});

test('a watch that the server ends with OK is reopened with a backoff', async () => {
  const { calls, told, clock } = await watch();
  for (const wait of [1000, 1600, 2560]) {
    (await calls.next()).end();
    await expect.poll(() => waitOf(clock)).toBe(wait);
    clock.advance(clock.nextIn!);
  }
  expect(await told.next()).toBe('not_serving: the health watch ended');
  expect(told.empty).toBe(true);
});

test('a server that answers once and ends the stream is watched again with a backoff, and its answer stays', async () => {
  const { calls, told, clock, backedOff } = await watch();
  for (const wait of [1000, 1600, 2560, 4096]) {
    const call = await calls.next();
    call.write({ status: 'SERVING' });
    call.end();
    await expect.poll(() => waitOf(clock)).toBe(wait);
    clock.advance(clock.nextIn!);
  }
  expect(await told.next()).toBe('serving: null');
  expect(told.empty).toBe(true);
  expect(backedOff).toEqual(Array(4).fill('the server ended the stream'));
});

test('a watch that worked for ten seconds is reopened after the initial backoff, without an event', async () => {
  const { calls, told, clock, backedOff } = await watch();
  for (let i = 0; i < 3; i++) {
    const call = await calls.next();
    call.write({ status: i % 2 === 0 ? 'SERVING' : 'NOT_SERVING' });
    await told.next();
    clock.advance(10_000);
    call.end();
    await expect.poll(() => clock.nextIn).toBe(1000);
    clock.advance(1000);
  }
  expect(backedOff).toEqual([]);
});

test.each([
  [grpc.status.UNAUTHENTICATED, 'UNAUTHENTICATED'],
  [grpc.status.PERMISSION_DENIED, 'PERMISSION_DENIED'],
])('a health service that rejects the watch with %s is not watched again', async (code, name) => {
  const { calls, told, clock, healthWatch } = await watch();
  (await calls.next()).emit('error', failing(code, 'no'));
  expect(await told.next()).toBe(`not offered: ${name}`);
  expect(healthWatch.open).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});

test('a watch that was answered and is rejected later is reopened: its token may have expired', async () => {
  const { calls, told, clock } = await watch();
  const call = await calls.next();
  call.write({ status: 'SERVING' });
  expect(await told.next()).toBe('serving: null');
  call.emit('error', failing(grpc.status.UNAUTHENTICATED, 'expired'));
  await expect.poll(() => clock.nextIn).toBe(1000);
  clock.advance(1000);
  await calls.next();
  expect(told.empty).toBe(true);
});

test('the metadata of the options is sent with the request', async () => {
  const { calls } = await watch('', true, { authorization: 'Bearer secret' });
  expect((await calls.next()).metadata.get('authorization')).toEqual(['Bearer secret']);
});

test('a flood of answers ends the watch after 200, and the last one stays', async () => {
  const { calls, told, clock, backedOff } = await watch();
  const call = await calls.next();
  const cancelled = new Promise((resolve) => call.once('cancelled', resolve));
  for (let i = 0; i < 5000; i++) call.write({ status: i % 2 === 0 ? 'SERVING' : 'NOT_SERVING' });
  await cancelled;
  let changes = 0;
  for (; !told.empty; changes++) await told.next();
  // Five recoveries, and what came between them.
  expect(changes).toBeLessThanOrEqual(10);
  expect(backedOff).toEqual([expect.stringContaining('50 messages a second')]);
  clock.advance(1000);
  (await calls.next()).write({ status: 'SERVING' });
  expect(await told.next()).toBe('serving: null');
});

test('a stopped watch is cancelled at the server, reports nothing more, and leaves no timer', async () => {
  const { calls, told, clock, healthWatch } = await watch();
  const call = await calls.next();
  const cancelled = new Promise((resolve) => call.once('cancelled', resolve));
  healthWatch.stop();
  await cancelled;
  expect(told.empty).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

test('a watch that is stopped during its backoff is not reopened', async () => {
  const { calls, told, clock, healthWatch } = await watch();
  (await calls.next()).emit('error', failing(grpc.status.UNAVAILABLE, 'going'));
  await told.next();
  expect(clock.pendingTimers).toBe(1);
  healthWatch.stop();
  expect(clock.pendingTimers).toBe(0);
  clock.advance(60_000);
  expect(calls.empty).toBe(true);
});

test('the status message of a server is reported on one line, and truncated', async () => {
  const { calls, told } = await watch();
  (await calls.next()).emit('error', failing(grpc.status.INTERNAL, `\u001b[31mill\n${'x'.repeat(4000)}`));
  const reason = await told.next();
  expect(reason).toMatch(/^not_serving: the health watch failed: \\u001b\[31mill\\nx+\.\.\. \(\d+ characters\)$/);
  expect(reason.length).toBeLessThan(550);
});
