import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { WatchedServer } from '../../support/peers/watched-server.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { serverProcesses } from '../../support/server/processes.js';
import { eventually } from '../../support/time/patience.js';

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

/** The states that the only endpoint has had. */
const states = (): string[] => client.events.flatMap((event) => (event.type === 'endpoint_state' ? [event.to] : []));

test('an attempt to connect that is answered while this process is stalled is not given up', async () => {
  const [server] = await startBackends(1);
  server!.partition();
  client = new BalancedClient({ target: staticTarget([server!]), loadBalancing: { pool: { connectTimeout: 1500 } } });
  client.balanced.connect();
  await client.until(() => client.states[server!.address] === 'connecting');
  block(1600);
  server!.heal();
  await client.ready(1);
  expect(states()).toEqual(['ready']);
});

test('a health watch that is answered while this process is stalled does not take its endpoint out', async () => {
  const server = await WatchedServer.start();
  let answer: (() => unknown) | undefined;
  server.answer = (call) => void (answer = () => call.write({ status: 'SERVING' }));
  client = new BalancedClient({
    target: server.target,
    loadBalancing: { pool: { connectTimeout: 1500 }, health: { panicThreshold: 0 } },
  });
  client.balanced.connect();
  await eventually(() => answer !== undefined);
  block(1600);
  // The timers that are due run before the answer comes.
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  answer!();
  await client.ready(1);
  expect(states()).toEqual(['ready']);
});

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
