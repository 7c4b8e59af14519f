import type { ChannelOptions } from '@grpc/grpc-js';
import type { GrpcUri, SubchannelInterface } from '../experimental.js';
import { SourceResolver } from '../resolver/resolver.js';

/** The `:authority` of a channel's calls, as grpc-js computes it. */
export function callAuthority(subchannel: SubchannelInterface, options: ChannelOptions): string {
  const given = options['grpc.default_authority'];
  if (typeof given === 'string') return given;
  const { channelTarget } = subchannel.getRealSubchannel() as unknown as { channelTarget?: GrpcUri };
  return channelTarget ? SourceResolver.getDefaultAuthority(channelTarget) : 'localhost';
}
