import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from 'vitest';
import { startTcpServer } from '../../../../test/support/doctor/servers.js';
import { expectNoLeaks } from '../../../../test/support/run/leaks.js';
import { eventually } from '../../../../test/support/time/patience.js';
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
  let answered: Promise<unknown> | undefined;
  const port = await startTcpServer((socket) => {
    answered = new Promise((resolve) => socket.write('answer', resolve));
  });
  const socket = net.connect(port, '127.0.0.1').pause();
  await once(socket, 'connect');
  await eventually(() => answered !== undefined);
  await answered;
  const outcome = firstOutcome<string>(
    20,
    () => 'timeout',
    (settle) => {
      socket.once('data', (data) => settle(String(data))).resume();
      // The answer is in the kernel when the stall begins, and the timer is due when it ends.
      stall(100);
    },
  );
  expect(await outcome).toBe('answer');
  socket.destroy();
});

function stall(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}
