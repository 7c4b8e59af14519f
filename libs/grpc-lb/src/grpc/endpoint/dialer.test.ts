import { connectivityState } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { FakeChannel } from '../../../../../test/support/peers/fake-channel.js';
import type { AbortableAddress } from './abortable-address.js';

test('the signal of an attempt lives only until the attempt has succeeded, since it keeps the socket', async () => {
  const channel = new FakeChannel();
  await channel.name([{ address: { path: 'a' } }]);
  const address = channel.open[0]!.address as AbortableAddress & { readonly signal: AbortSignal };
  const { signal } = address;
  expect(address.signal).toBe(signal);
  await channel.become(connectivityState.READY, 'unix:a');
  expect(address.signal).not.toBe(signal);
});
