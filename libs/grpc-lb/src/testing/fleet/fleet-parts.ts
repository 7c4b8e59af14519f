import type { ServerOptions, ServiceDefinition } from '@grpc/grpc-js';
import { GrpcLbClosedError } from '../../core/errors.js';
import type { BackendCall } from '../handlers.js';
import type { CallLog } from './call-log.js';
import type { FleetTls } from './fleet-tls.js';

/** @internal What the backends of a fleet share. */
export interface FleetParts {
  readonly services: readonly ServiceDefinition[];
  readonly serverOptions: ServerOptions;
  /** Whether backends serve `grpc.health.v1`. */
  readonly health: boolean;
  readonly tls: FleetTls | undefined;
  readonly log: CallLog;
  /** Whether the fleet is closed, so that nothing may start. */
  isClosed(): boolean;
  handlerFor(names: readonly string[]): ((request: unknown, call: BackendCall) => unknown) | undefined;
  /** A client can send calls to a backend, or cannot any more. */
  changed(): void;
}

/** @internal The error of what needs a fleet that is open. */
export function fleetClosed(): GrpcLbClosedError {
  return new GrpcLbClosedError('the fleet is closed; create another one');
}
