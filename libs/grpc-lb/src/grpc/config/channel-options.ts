import type { ChannelOptions } from '@grpc/grpc-js';
import { GRPC_LB } from './lb-config.js';
import type { GivenServiceConfig } from './service-config.js';

/** setTimeout's maximum, 24.8 days. */
const NEVER_MS = 2_147_483_647;

/** Channel options that this package sets unless the user does. Each differs from grpc-js for a reason. */
export const DEFAULT_CHANNEL_OPTIONS: ChannelOptions = {
  // Off in grpc-js. Servers in C, Go and Java close a connection that gets PINGs more often than every 5 min without
  // data (gRFC A8), so this only covers long silent streams; `pool.pingAfter` covers calls.
  'grpc.keepalive_time_ms': 330_000,
  // 120 s in grpc-js: after a long outage an endpoint would stay away for minutes after its return.
  'grpc.max_reconnect_backoff_ms': 5_000,
  // 30 min in grpc-js: an idle client knows nothing about its backends, and readiness would report that.
  'grpc.client_idle_timeout_ms': NEVER_MS,
  // Counts each call several times; set it to 1 to enable channelz.
  'grpc.enable_channelz': 0,
  // A proxy from the environment would replace discovery.
  'grpc.enable_http_proxy': 0,
  // Each client has its own connections anyway; its own pool releases them as soon as it is closed.
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

/** Milliseconds between keepalive PINGs; null if there are none. */
export function keepaliveTimeOf(options: ChannelOptions): number | null {
  const time = options['grpc.keepalive_time_ms'] ?? -1;
  return time > 0 && time < NEVER_MS ? time : null;
}

/** @throws Error if the user's service config is not JSON. */
export function givenServiceConfig(user: ChannelOptions = {}): GivenServiceConfig {
  const text = user['grpc.service_config'];
  return text === undefined ? {} : (JSON.parse(text) as GivenServiceConfig);
}
