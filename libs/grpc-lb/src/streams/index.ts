/**
 * Streams that resume and move, for clients of grpc-js without Nest.
 *
 * @packageDocumentation
 */
export { resumingClient } from './resuming-client.js';
export type { ClientMethods, ResumableClientMethod, StreamMethodName } from './client-methods.js';
export type { FailureStatus } from '../core/options/status-names.js';
export type {
  ReplayKey,
  ReplayOptions,
  ReplayingOptions,
  ResumableOptions,
  ResumableStatus,
  StreamGap,
} from '../nest/streams/resumable-options.js';
export {
  type Fault,
  GrpcLbArgumentError,
  GrpcLbError,
  type GrpcLbErrorCode,
  GrpcLbOptionsError,
} from '../core/errors.js';
