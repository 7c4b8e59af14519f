import type { ChannelOptions } from '@grpc/grpc-js';
import type { GrpcLbClientOptions } from './client-options.js';

const KEEPALIVE_OPTIONS = {
  keepaliveTimeMs: 'grpc.keepalive_time_ms',
  keepaliveTimeoutMs: 'grpc.keepalive_timeout_ms',
  keepalivePermitWithoutCalls: 'grpc.keepalive_permit_without_calls',
  http2MaxPingsWithoutData: 'grpc.http2.max_pings_without_data',
  http2MinTimeBetweenPingsMs: 'grpc.http2.min_time_between_pings_ms',
  http2MinPingIntervalWithoutDataMs: 'grpc.http2.min_ping_interval_without_data_ms',
  http2MaxPingStrikes: 'grpc.http2.max_ping_strikes',
} as const;

/** The channel options that Nest's gRPC options stand for, in a new object. As in Nest, the named ones win. */
export function transportChannelOptions(options: GrpcLbClientOptions): ChannelOptions {
  const named: [string, number | undefined][] = [
    ['grpc.max_send_message_length', options.maxSendMessageLength],
    ['grpc.max_receive_message_length', options.maxReceiveMessageLength],
    ['grpc.max_metadata_size', options.maxMetadataSize],
  ];
  for (const [key, option] of Object.entries(KEEPALIVE_OPTIONS)) {
    named.push([option, options.keepalive?.[key as keyof typeof KEEPALIVE_OPTIONS]]);
  }
  return { ...options.channelOptions, ...Object.fromEntries(named.filter(([, value]) => value !== undefined)) };
}
