import { afterEach, expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { type EchoServer, startServers, staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

let servers: EchoServer[] = [];
let client: BalancedClient;

afterEach(async () => {
  client.close();
  await Promise.all(servers.map((server) => server.kill()));
});

/** The event loop of this process stands still. */
function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

test.each(['least_request', 'adaptive', 'peak_ewma', 'hot_cold'] as const)(
  'deadlines that pass while this process is stalled eject no endpoint: %s',
  async (policy) => {
    servers = await startServers(3);
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
    expect(client.events.filter((event) => event.type === 'endpoint_state' && event.to === 'ejected')).toEqual([]);
  },
);
