import { expect, it } from 'vitest';
import { transportChannelOptions } from './transport-options.js';

const REQUIRED = { package: 'orders.v1' };

it('Nest’s named options become channel options', () => {
  const options = {
    maxSendMessageLength: 1,
    maxReceiveMessageLength: 2,
    maxMetadataSize: 3,
    keepalive: {
      keepaliveTimeMs: 4,
      keepaliveTimeoutMs: 5,
      keepalivePermitWithoutCalls: 1,
      http2MaxPingsWithoutData: 6,
      http2MinTimeBetweenPingsMs: 7,
      http2MinPingIntervalWithoutDataMs: 8,
      http2MaxPingStrikes: 9,
    },
  };
  expect(transportChannelOptions({ ...REQUIRED, ...options })).toEqual({
    'grpc.max_send_message_length': 1,
    'grpc.max_receive_message_length': 2,
    'grpc.max_metadata_size': 3,
    'grpc.keepalive_time_ms': 4,
    'grpc.keepalive_timeout_ms': 5,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.http2.max_pings_without_data': 6,
    'grpc.http2.min_time_between_pings_ms': 7,
    'grpc.http2.min_ping_interval_without_data_ms': 8,
    'grpc.http2.max_ping_strikes': 9,
  });
});

it('absent options are not set, so that the defaults of the package apply; zero is set', () => {
  expect(transportChannelOptions(REQUIRED)).toEqual({});
  expect(transportChannelOptions({ ...REQUIRED, keepalive: { keepaliveTimeMs: undefined } })).toEqual({});
  expect(
    transportChannelOptions({ ...REQUIRED, maxReceiveMessageLength: 0, keepalive: { keepalivePermitWithoutCalls: 0 } }),
  ).toEqual({
    'grpc.max_receive_message_length': 0,
    'grpc.keepalive_permit_without_calls': 0,
  });
});

it('a named option overrides a channel option, in a new object', () => {
  const channelOptions = Object.freeze({ 'grpc.max_send_message_length': 1, 'grpc.enable_retries': 0 });
  expect(transportChannelOptions({ ...REQUIRED, channelOptions, maxSendMessageLength: 2 })).toEqual({
    'grpc.max_send_message_length': 2,
    'grpc.enable_retries': 0,
  });
});
