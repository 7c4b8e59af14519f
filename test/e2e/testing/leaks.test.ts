import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { trackLeaks } from 'nestjs-grpc-lb/testing';
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
