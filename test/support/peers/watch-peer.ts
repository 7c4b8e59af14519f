import { connectivityState, type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { getSubchannelPool } from '@grpc/grpc-js/build/src/subchannel-pool.js';
import { onTestFinished } from 'vitest';
import type { WatchPeer } from '../../../libs/grpc-lb/src/grpc/endpoint/watch-stream.js';

/** A connection of grpc-js to a server on this machine, without a channel around it; it closes when the test ends. */
export async function watchPeer(
  port: number,
  security: ChannelCredentials = credentials.createInsecure(),
): Promise<WatchPeer> {
  const subchannel = getSubchannelPool(false).getOrCreateSubchannel(
    { scheme: 'dns', authority: '', path: `127.0.0.1:${port}` },
    { host: '127.0.0.1', port },
    {},
    security,
  );
  subchannel.ref();
  onTestFinished(() => subchannel.unref());
  const ready = new Promise<void>((resolve) =>
    subchannel.addConnectivityStateListener((_subchannel, _previous, next) => {
      // Its transport is in place a turn later.
      if (next === connectivityState.READY) setImmediate(resolve);
    }),
  );
  subchannel.startConnecting();
  await ready;
  return { subchannel, authority: 'orders.test' };
}
