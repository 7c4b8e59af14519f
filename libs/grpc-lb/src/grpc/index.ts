export {
  type Fault,
  GrpcLbClosedError,
  GrpcLbConflictError,
  GrpcLbError,
  type GrpcLbErrorCode,
  GrpcLbOptionsError,
  GrpcLbPeerError,
} from '../core/errors.js';
export { BalancedChannel, type BalancedChannelOptions } from './channel/balanced-channel.js';
export { DEFAULT_CHANNEL_OPTIONS } from './config/channel-options.js';
export { SUPPORTED_GRPC_JS } from './experimental.js';
export type { EndpointExplanation, Explanation } from './channel/explain.js';
export { register } from './channel/register.js';
export type { MethodInfo } from './config/service-config.js';
