import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { serverProcesses } from '../../support/server/processes.js';

expectNoLeaks();

let client: BalancedClient;

const startProcess = serverProcesses(0);

/** Blocks the event loop of this process. */
function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

const ejected = (): unknown[] =>
  client.events.filter((event) => event.type === 'endpoint_state' && event.to === 'ejected');

test('answers of other processes that lie unread while this one is stalled eject no endpoint', async () => {
  const processes = await Promise.all([startProcess(), startProcess(), startProcess()]);
  const target = `static:///${processes.map(({ address }) => address).join(',')}`;
  client = await new BalancedClient({ target }).ready(3);
  for (let i = 0; i < 30; i++) await client.say();
  const late = Array.from({ length: 60 }, () =>
    client.say('x', { deadline: Date.now() + 500 }).then(
      () => 'answered',
      () => 'late',
    ),
  );
  // The requests are sent; the answers come within 20 ms.
  await new Promise((resolve) => setImmediate(resolve));
  block(1000);
  expect(await Promise.all(late)).toContain('late');
  expect(Object.values(client.states)).toEqual(['ready', 'ready', 'ready']);
  expect(ejected()).toEqual([]);
});

test.each(['least_request', 'adaptive', 'peak_ewma', 'hot_cold'] as const)(
  'deadlines that pass while this process is stalled eject no endpoint: %s',
  async (policy) => {
    const servers = await startBackends(3);
    client = await new BalancedClient({ target: staticTarget(servers), loadBalancing: { policy } }).ready(3);
    for (let i = 0; i < 30; i++) await client.say();
    const late = Array.from({ length: 60 }, () =>
      client.say('x', { deadline: Date.now() + 400 }).then(
        () => 'answered',
        () => 'late',
      ),
    );
    block(700);
    expect(new Set(await Promise.all(late))).toEqual(new Set(['late']));
    expect(Object.values(client.states)).toEqual(['ready', 'ready', 'ready']);
    expect(client.snapshot.endpoints.map(({ failureRate }) => failureRate)).toEqual([0, 0, 0]);
    expect(ejected()).toEqual([]);
  },
);
