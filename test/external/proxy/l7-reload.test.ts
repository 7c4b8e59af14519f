import { expect, onTestFinished, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { L7Proxy, type ProgramName, PROGRAMS } from './l7-proxies.js';

expectNoLeaks();

const RELOADS = 15;
const POOL = 3;

test.each(Object.keys(PROGRAMS) as ProgramName[])(
  `through %s, ${RELOADS} reloads under load fail no call, with ${POOL} connections`,
  async (name) => {
    const servers = await startBackends(2);
    // So that several calls are in flight at each moment.
    for (const server of servers) server.slow(3);
    const proxy = await new L7Proxy(
      name,
      servers.map(({ address }) => address),
    ).start();
    onTestFinished(() => proxy.stop());
    const client = await new BalancedClient({
      target: `static:///127.0.0.1:${proxy.port}`,
      // Health checks are those of the proxy.
      loadBalancing: { pool: { size: POOL }, health: { enabled: false } },
    }).ready(1);
    const closed = (): number => client.events.filter(({ type }) => type === 'connection_closed').length;
    const ready = (): number =>
      client.snapshot.endpoints[0]!.connections.filter(({ state }) => state === 'ready').length;
    const load = new SteadyLoad(() => client.say(), 800);
    for (let i = 1; i <= RELOADS; i++) {
      await load.run(100);
      await proxy.reload();
      await client.until(() => closed() >= i * POOL && ready() === POOL);
    }
    await load.run(100);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(client.snapshot).toMatchObject({ inFlight: 0, pending: 0 });
  },
);
