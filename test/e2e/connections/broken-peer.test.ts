import { once } from 'node:events';
import net from 'node:net';
import type { ClientUnaryCall } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { FakeClock } from '../../support/time/fake-clock.js';

expectNoLeaks();

const frame = (type: number, flags: number, payload: readonly number[] = []): Buffer =>
  Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, 0, ...payload]);
const SETTINGS = [frame(4, 0), frame(4, 1)];
/** DATA of no stream, which RFC 9113, section 6.1, forbids. */
const BROKEN = frame(0, 0, [1]);

test('a connection whose peer has broken a rule of HTTP/2 is closed when it is not used any more', async () => {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    socket.once('data', () => socket.write(Buffer.concat(SETTINGS)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeWithTest(() => void server.close());
  const clock = new FakeClock();
  const target = `static:///127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  const client = await new BalancedClient({ target, clock, loadBalancing: { health: { enabled: false } } }).ready(1);
  const [socket] = sockets as [net.Socket];
  let call!: ClientUnaryCall;
  const arrived = once(socket, 'data');
  const failure = client.say('hello', { onCall: (made) => (call = made) }).catch((error: unknown) => error);
  await arrived;
  // What it says of this shows that it has read it.
  const read = once(socket, 'data');
  socket.write(BROKEN);
  await read;
  call.cancel();
  expect(await failure).toHaveProperty('code');
  client.close();
  const closed = socket.closed ? undefined : once(socket, 'close');
  clock.advance(10_000);
  await closed;
  expect(clock.pendingTimers).toBe(0);
});

test('a connection that closes by itself leaves no timer', async () => {
  const clock = new FakeClock();
  const client = await new BalancedClient({ target: staticTarget(await startBackends(3)), clock }).ready(3);
  await client.say();
  client.close();
  await expect.poll(() => clock.pendingTimers).toBe(0);
});
