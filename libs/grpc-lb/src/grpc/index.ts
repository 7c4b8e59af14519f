export { BalancedChannel, type BalancedChannelOptions } from './balanced-channel.js';
export { DEFAULT_CHANNEL_OPTIONS } from './channel-options.js';
export { SUPPORTED_GRPC_JS } from './experimental.js';
export type { EndpointExplanation, Explanation } from './explain.js';
export { register } from './register.js';
export type { MethodInfo } from './service-config.js';
