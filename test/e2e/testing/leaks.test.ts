import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Resolver } from 'node:dns/promises';
import { createSocket } from 'node:dgram';
import { Worker } from 'node:worker_threads';
import { BackoffTimeout } from '@grpc/grpc-js/build/src/backoff-timeout.js';
import { type LeakCheck, trackLeaks } from 'nestjs-grpc-lb/testing';
import { expect, it } from 'vitest';

it('names what is open, with the line that opened it', async () => {
  const leaks = trackLeaks();
  function opensTimer(): NodeJS.Timeout {
    return setInterval(() => {}, 60_000).unref();
  }
  const timer = opensTimer();
  expect(leaks.open()).toMatchObject([{ kind: 'timer' }]);
  expect(leaks.open()[0]!.openedAt[0]).toMatch(/^opensTimer .*leaks\.test\.ts:\d+:\d+/);
  await expect(leaks.expectNone(0)).rejects.toThrow(/^1 left open\n {2}timer\n {4}opensTimer/);
  clearInterval(timer);
});

it('waits for what is being closed', async () => {
  const leaks = trackLeaks();
  const server = createServer((socket) => socket.resume()).listen(0);
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port);
  await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  client.unref();
  expect(
    leaks
      .open()
      .map(({ kind }) => kind)
      .toSorted(),
  ).toEqual(['server', 'socket', 'socket']);
  client.end();
  server.close();
  await leaks.expectNone();
});

it('regards nothing that was open before, and no timer that has fired', async () => {
  const before = setTimeout(() => {}, 60_000);
  const leaks = trackLeaks();
  await new Promise((resolve) => setTimeout(resolve, 1));
  await leaks.expectNone();
  clearTimeout(before);
});

const kindsOf = (leaks: LeakCheck): string[] => leaks.open().map(({ kind }) => kind);

it('sees workers', async () => {
  const leaks = trackLeaks();
  const worker = new Worker('setInterval(() => {}, 60_000)', { eval: true });
  await once(worker, 'online');
  expect(kindsOf(leaks)).toEqual(['worker']);
  await worker.terminate();
  await leaks.expectNone();
});

it('sees DNS queries, which can be cancelled', async () => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const leaks = trackLeaks();
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${silent.address().port}`]);
  const answer = resolver.resolve4('orders.test');
  expect(kindsOf(leaks)).toEqual(['DNS query']);
  resolver.cancel();
  await expect(answer).rejects.toMatchObject({ code: 'ECANCELLED' });
  await leaks.expectNone();
  silent.close();
});

it("regards grpc-js's timers as long as they keep the process alive", async () => {
  const leaks = trackLeaks();
  const backoff = new BackoffTimeout(() => {}, { initialDelay: 60_000 });
  backoff.runOnce();
  // It has cleared another one, which Node tells later.
  await expect.poll(() => kindsOf(leaks)).toEqual(['timer']);
  expect(leaks.open()[0]!.openedAt[0]).toMatch(/^BackoffTimeout.*grpc-js/);
  backoff.unref();
  await leaks.expectNone();
  backoff.stop();
});
