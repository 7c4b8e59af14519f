import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackend } from '../../support/echo/backends.js';
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

test('channelz keeps nothing of a connection that was lost', async () => {
  const server = await startBackend({ health: true });
  const channelOptions = { 'grpc.enable_channelz': 1 };
  const client = await new BalancedClient({ target: `static:///${server.address}`, channelOptions }).ready(1);
  const before = channels();
  for (let round = 1; round <= 5; round++) {
    await client.say();
    await server.cut();
    const losses = (): number => client.events.filter(({ type }) => type === 'connection_closed').length;
    await client.until(() => losses() === round && client.states[server.address] === 'ready');
  }
  expect(channels()).toBe(before);
});
