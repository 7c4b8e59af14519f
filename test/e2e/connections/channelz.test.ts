import { createRequire } from 'node:module';
import { afterEach, expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { type EchoServer, startServers } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

interface TopChannels {
  readonly channel: readonly unknown[];
}

/** grpc-js does not expose its registry; its channelz service is queried like that of any server. */
const { getChannelzHandlers } = createRequire(import.meta.url)('@grpc/grpc-js/build/src/channelz.js') as {
  getChannelzHandlers(): {
    GetTopChannels(call: object, done: (error: null, answer: TopChannels) => void): void;
  };
};

function channels(): number {
  let count = 0;
  const request = { start_channel_id: 0, max_results: 1000 };
  getChannelzHandlers().GetTopChannels({ request }, (_, { channel }) => (count = channel.length));
  return count;
}

let client: BalancedClient;
let servers: EchoServer[];

afterEach(async () => {
  client.close();
  await Promise.all(servers.map((server) => server.kill()));
});

test('channelz keeps nothing of a connection that was lost', async () => {
  servers = await startServers(1, { withHealth: { '': 'SERVING' } });
  const [server] = servers as [EchoServer];
  const channelOptions = { 'grpc.enable_channelz': 1 };
  client = await new BalancedClient({ target: `static:///${server.address}`, channelOptions }).ready(1);
  const before = channels();
  for (let round = 1; round <= 5; round++) {
    await client.say();
    server.cutConnections();
    const losses = (): number => client.events.filter(({ type }) => type === 'connection_closed').length;
    await client.until(() => losses() === round && client.states[server.address] === 'ready');
  }
  expect(channels()).toBe(before);
});
