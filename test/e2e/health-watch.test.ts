import * as grpc from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { HEALTH_NOT_OFFERED, HealthWatch } from '../../libs/grpc-lb/src/grpc/health-watch.js';
import { FakeClock } from '../support/fake-clock.js';
import { Health } from '../support/health-watch.js';
import { expectNoLeaks } from '../support/leaks.js';
import { Mailbox } from '../support/mailbox.js';
import { watchPeer } from '../support/watch-peer.js';

expectNoLeaks();

type WatchCall = grpc.ServerWritableStream<{ service: string }, { status: string }>;

/** A watch on a clock of its own, over a connection to a server that answers by hand. */
async function watch(service = '', withHealth = true) {
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
  const healthWatch = new HealthWatch(
    peer,
    service,
    clock,
    () => 0.5,
    (health, reason) => told.put(`${health}: ${reason}`),
  );
  return { healthWatch, clock, calls, told };
}

const failing = (code: grpc.status, details: string) => Object.assign(new Error(details), { code, details });

test('asks after the service, and tells each answer', async () => {
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

test('a server without the service is healthy, and is not asked again', async () => {
  const { told, clock, healthWatch } = await watch('', false);
  expect(await told.next()).toBe(`serving: ${HEALTH_NOT_OFFERED}`);
  expect(healthWatch.open).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});

test('an error is no health, and the server is asked again later and later, up to 30 s', async () => {
  const { calls, told, clock, healthWatch } = await watch();
  const waits: number[] = [];
  for (let i = 0; i < 10; i++) {
    (await calls.next()).emit('error', failing(grpc.status.INTERNAL, 'ill'));
    expect(await told.next()).toBe('not_serving: the health watch failed: ill');
    waits.push(clock.nextIn!);
    clock.advance(clock.nextIn!);
  }
  // 1.6 times as long each time; the jitter is in the middle of its range here.
  expect(waits.map(Math.round)).toEqual([1000, 1600, 2560, 4096, 6554, 10_486, 16_777, 26_844, 30_000, 30_000]);
  await calls.next();
  healthWatch.stop();
});

test('a watch that the server ends in peace is asked for again too, and an answer resets the wait', async () => {
  const { calls, told, clock, healthWatch } = await watch();
  for (let i = 0; i < 3; i++) {
    (await calls.next()).end();
    expect(await told.next()).toBe('not_serving: the health watch ended');
    clock.advance(clock.nextIn!);
  }
  const call = await calls.next();
  call.write({ status: 'SERVING' });
  expect(await told.next()).toBe('serving: null');
  // gRFC A17: after an answer the next attempt is immediate, and only if that has none either there is a wait again.
  call.end();
  (await calls.next()).end();
  expect(await told.next()).toBe('not_serving: the health watch ended');
  expect(clock.nextIn ?? 0).toBeLessThanOrEqual(1200);
  healthWatch.stop();
});

test('what was stopped is cancelled at the server, says nothing more, and leaves no timer', async () => {
  const { calls, told, clock, healthWatch } = await watch();
  const call = await calls.next();
  const cancelled = new Promise((resolve) => call.once('cancelled', resolve));
  healthWatch.stop();
  await cancelled;
  expect(told.empty).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

test('what was stopped while it waited does not ask again', async () => {
  const { calls, told, clock, healthWatch } = await watch();
  (await calls.next()).emit('error', failing(grpc.status.UNAVAILABLE, 'going'));
  await told.next();
  expect(clock.pendingTimers).toBe(1);
  healthWatch.stop();
  expect(clock.pendingTimers).toBe(0);
  clock.advance(60_000);
  expect(calls.empty).toBe(true);
});

test('what a server says of the end of its watch is told on one line, and cut', async () => {
  const { calls, told } = await watch();
  (await calls.next()).emit('error', failing(grpc.status.INTERNAL, `\u001b[31mill\n${'x'.repeat(4000)}`));
  const reason = await told.next();
  expect(reason).toMatch(/^not_serving: the health watch failed: \\u001b\[31mill\\nx+\.\.\. \(\d+ characters\)$/);
  expect(reason.length).toBeLessThan(550);
});
