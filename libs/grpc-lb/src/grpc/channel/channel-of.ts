import type { Channel, Client } from '@grpc/grpc-js';

type ChannelGetter = (this: Client) => Channel;

/** The channel of a client. A service may have a method `GetChannel`, which hides that of grpc-js's `Client`. */
export function channelOf(client: Client): Channel {
  let getter: ChannelGetter | undefined;
  for (let part: unknown = client; part !== null; part = Object.getPrototypeOf(part))
    if (Object.hasOwn(part as object, 'getChannel'))
      getter = (part as { readonly getChannel: ChannelGetter }).getChannel;
  return getter!.call(client);
}
