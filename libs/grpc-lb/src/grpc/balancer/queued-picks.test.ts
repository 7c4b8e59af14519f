import { connectivityState } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { FakeChannel } from '../../../../../test/support/peers/fake-channel.js';
import { PickResultType } from '../experimental.js';

test('the first call of grpc-js that finds every connection full opens another one', async () => {
  const channel = new FakeChannel({ pool: { maxConcurrentStreams: 1 } });
  await channel.name([{ address: { path: 'a' } }]);
  await channel.become(connectivityState.READY, 'unix:a');
  channel.pick();
  expect(channel.open).toHaveLength(1);
  const { pickResultType } = channel.picker!.pick({ metadata: undefined as never, extraPickInfo: {} });
  expect(pickResultType).toBe(PickResultType.QUEUE);
  await channel.pass(0);
  expect(channel.open).toHaveLength(2);
});
