import type { ChannelOptions } from '@grpc/grpc-js';
import { GRPC_LB } from './lb-config.js';
import type { GivenServiceConfig } from './service-config.js';

/** setTimeout's maximum, 24.8 days. */
const NEVER_MS = 2_147_483_647;

/** What this package sets where the user does not. Each differs from grpc-js for a reason. */
export const DEFAULT_CHANNEL_OPTIONS: ChannelOptions = {
  // Off in grpc-js. Servers in C, Go and Java close a connection that is pinged more often than every 5 min while nothing
  // happens (gRFC A8), so this is only for streams that are silent for long; calls are guarded by `pool.pingAfter`.
  'grpc.keepalive_time_ms': 330_000,
  // 120 s in grpc-js: an endpoint that was away for long would stay away for minutes after its return.
  'grpc.max_reconnect_backoff_ms': 5_000,
  // 30 min in grpc-js: a client that goes idle knows nothing about its backends, and readiness would report that.
  'grpc.client_idle_timeout_ms': NEVER_MS,
  // Counts each call several times over; set it to 1 to have channelz back.
  'grpc.enable_channelz': 0,
  // A proxy from the environment would take the place of discovery.
  'grpc.enable_http_proxy': 0,
  // Each client has its own connections anyway; its own pool lets go of them as soon as it is closed.
  'grpc.use_local_subchannel_pool': 1,
};

/**
 * The options of a channel that balances with `grpc_lb`. A service config of the user keeps its method configs
 * (timeouts, retries); its load-balancing part is replaced.
 */
export function channelOptionsFor(user: ChannelOptions = {}): ChannelOptions {
  const serviceConfig = { ...givenServiceConfig(user), loadBalancingConfig: [{ [GRPC_LB]: {} }] };
  return { ...DEFAULT_CHANNEL_OPTIONS, ...user, 'grpc.service_config': JSON.stringify(serviceConfig) };
}

/** @throws Error if the user's service config is not JSON. */
export function givenServiceConfig(user: ChannelOptions = {}): GivenServiceConfig {
  const text = user['grpc.service_config'];
  return text === undefined ? {} : (JSON.parse(text) as GivenServiceConfig);
}
