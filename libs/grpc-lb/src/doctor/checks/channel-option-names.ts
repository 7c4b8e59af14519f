import type { Fault } from '../../core/errors.js';
import { didYouMean } from '../../core/options/validation.js';

/** The options that grpc-js 1.14 reads; it ignores all others silently. */
export const CHANNEL_OPTIONS: readonly string[] = [
  'grpc.ssl_target_name_override',
  'grpc.primary_user_agent',
  'grpc.secondary_user_agent',
  'grpc.default_authority',
  'grpc.keepalive_time_ms',
  'grpc.keepalive_timeout_ms',
  'grpc.keepalive_permit_without_calls',
  'grpc.service_config',
  'grpc.max_concurrent_streams',
  'grpc.initial_reconnect_backoff_ms',
  'grpc.max_reconnect_backoff_ms',
  'grpc.use_local_subchannel_pool',
  'grpc.max_send_message_length',
  'grpc.max_receive_message_length',
  'grpc.enable_http_proxy',
  'grpc.enable_channelz',
  'grpc.dns_min_time_between_resolutions_ms',
  'grpc.enable_retries',
  'grpc.per_rpc_retry_buffer_size',
  'grpc.retry_buffer_size',
  'grpc.max_connection_age_ms',
  'grpc.max_connection_age_grace_ms',
  'grpc-node.max_session_memory',
  'grpc.service_config_disable_resolution',
  'grpc.client_idle_timeout_ms',
  'grpc-node.tls_enable_trace',
  'grpc.lb.ring_hash.ring_size_cap',
  'grpc-node.retry_max_attempts_limit',
  'grpc-node.flow_control_window',
  'grpc.server_call_metric_recording',
];

/** Options whose name resembles one that exists. Options of other gRPC libraries have no effect, and are no fault. */
export function channelOptionFaults(options: object | undefined): Fault[] {
  return Object.keys(options ?? {}).flatMap((name) => {
    if (CHANNEL_OPTIONS.includes(name)) return [];
    const longer = CHANNEL_OPTIONS.find((known) => known.startsWith(`${name}_`));
    const meant = longer === undefined ? didYouMean(name, CHANNEL_OPTIONS) : `; did you mean "${longer}"?`;
    return meant === '' ? [] : [{ path: `channelOptions["${name}"]`, message: `is not an option of grpc-js${meant}` }];
  });
}
