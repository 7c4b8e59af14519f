import { status as Status } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { failureOf } from '../../support/server/app.js';
import { L7Proxy } from './l7-proxies.js';

expectNoLeaks();

const loadBalancing = { health: { enabled: false } };

/** The gateways of two regions, which route by name: each knows only its own. */
async function gateways(program: 'nginx' | 'haproxy') {
  const servers = await startBackends(2);
  const proxies = await Promise.all(
    ['localhost', '127.0.0.1'].map((host, i) => new L7Proxy(program, [servers[i]!.address], host).start()),
  );
  for (const proxy of proxies.slice(1)) onTestFinished(() => proxy.stop());
  const [here, there] = proxies as [L7Proxy, L7Proxy];
  const target = [`dns:///localhost:${here.port}`, `static:///127.0.0.1:${there.port}`];
  return { servers, here, there, target };
}

test.each(['nginx', 'haproxy'] as const)(
  'calls that fail over are served by a %s that knows its name',
  async (name) => {
    const { servers, here, there, target } = await gateways(name);
    const client = await new BalancedClient({ target, loadBalancing }).ready(1);
    expect(await client.say()).toMatchObject({ server: servers[0]!.address });
    await here.stop();
    await client.until(() => client.states[`127.0.0.1:${there.port}`] === 'ready');
    for (let i = 0; i < 20; i++)
      expect(await client.say('x', { waitForReady: true })).toMatchObject({ server: servers[1]!.address });
  },
);

test.each(['nginx', 'haproxy'] as const)('one name for all is refused by the other %s', async (name) => {
  const { here, there, target } = await gateways(name);
  const channelOptions = { 'grpc.default_authority': `localhost:${here.port}` };
  const client = await new BalancedClient({ target, loadBalancing, channelOptions }).ready(1);
  await client.say();
  await here.stop();
  await client.until(() => client.states[`127.0.0.1:${there.port}`] === 'ready');
  expect((await failureOf(client.say('x', { waitForReady: true }))).code).toBe(Status.UNIMPLEMENTED);
});
