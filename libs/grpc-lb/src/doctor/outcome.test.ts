import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from 'vitest';
import { startTcpServer } from '../../../../test/support/doctor/servers.js';
import { expectNoLeaks } from '../../../../test/support/run/leaks.js';
import { firstOutcome } from './outcome.js';

expectNoLeaks();

test('the first outcome counts, and a timeout is one', async () => {
  const never = firstOutcome(
    5,
    () => 'timeout',
    () => {},
  );
  expect(await never).toBe('timeout');
  let timeouts = 0;
  const first = firstOutcome(
    60_000,
    () => `timeout ${++timeouts}`,
    (settle) => {
      settle('first');
      settle('second');
    },
  );
  expect(await first).toBe('first');
  expect(timeouts).toBe(0);
});

test('what arrived while this process was stalled is read before a timeout takes effect', async () => {
  const port = await startTcpServer((socket) =>
    socket.on('data', (data) => {
      // The answer is in the kernel when the stall begins, and the timer is due when it ends.
      socket.write(data);
      stall(100);
    }),
  );
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const outcome = firstOutcome<string>(
    20,
    () => 'timeout',
    (settle) => {
      socket.once('data', (data) => settle(String(data)));
      socket.write('answer');
    },
  );
  expect(await outcome).toBe('answer');
  socket.destroy();
});

function stall(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}
