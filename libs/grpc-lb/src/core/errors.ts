/** The stable codes of this package's errors. A code keeps its meaning; new ones may be added in a minor version. */
export type GrpcLbErrorCode =
  | 'GRPC_LB_INVALID_OPTIONS'
  | 'GRPC_LB_INVALID_ARGUMENT'
  | 'GRPC_LB_PEER_MISSING'
  | 'GRPC_LB_PEER_UNSUPPORTED'
  | 'GRPC_LB_CONFLICT'
  | 'GRPC_LB_CLOSED'
  | 'GRPC_LB_DISCOVERY_FAILED';

/**
 * The base class of all errors that this package throws. A call that fails ends with a `ServiceError` of grpc-js
 * instead, whose `code` is the number of a gRPC status.
 *
 * @example
 *   if (error instanceof GrpcLbError && error.code === 'GRPC_LB_CLOSED') return;
 */
export abstract class GrpcLbError extends Error {
  /** Stable, for programs; the message is for people and may change. */
  abstract readonly code: GrpcLbErrorCode;
}

/** One fault in the options that a user wrote. */
export interface Fault {
  /** The path of the option, as in `loadBalancing.pool.size`. */
  readonly path: string;
  /** What is wrong, the value found, what is allowed, and the remedy. */
  readonly message: string;
}

/** Options are invalid. One error lists all faults of one subject. */
export class GrpcLbOptionsError extends GrpcLbError {
  readonly code = 'GRPC_LB_INVALID_OPTIONS';

  constructor(
    /** What the options configure, as in `client ORDERS`. */
    readonly subject: string,
    /** All faults, in the order of the options. */
    readonly faults: readonly Fault[],
  ) {
    const count = faults.length === 1 ? 'an option is invalid' : `${faults.length} options are invalid`;
    super(`${subject}: ${count}\n${faults.map(({ path, message }) => `  - ${path} ${message}`).join('\n')}`);
    this.name = 'GrpcLbOptionsError';
    // Loggers, as Nest's, print enumerable properties: each fault would be printed twice.
    Object.defineProperties(this, { subject: { enumerable: false }, faults: { enumerable: false } });
  }
}

/** An argument of a call or of a method is invalid; nothing was sent. */
export class GrpcLbArgumentError extends GrpcLbError {
  readonly code = 'GRPC_LB_INVALID_ARGUMENT';

  constructor(message: string) {
    super(message);
    this.name = 'GrpcLbArgumentError';
  }
}

/** A peer dependency is not installed, or its version does not fit. */
export class GrpcLbPeerError extends GrpcLbError {
  constructor(
    readonly code: 'GRPC_LB_PEER_MISSING' | 'GRPC_LB_PEER_UNSUPPORTED',
    message: string,
    options?: { readonly cause: unknown },
  ) {
    super(message, options);
    this.name = 'GrpcLbPeerError';
  }
}

/** `feature` cannot work without the optional peer `name`. */
export function missingPeer(feature: string, name: string, cause: unknown): GrpcLbPeerError {
  return new GrpcLbPeerError('GRPC_LB_PEER_MISSING', `${feature} needs the package ${name}: npm install ${name}`, {
    cause,
  });
}

/** Something else has taken a name that this package needs: a policy in grpc-js, or a service on a server. */
export class GrpcLbConflictError extends GrpcLbError {
  readonly code = 'GRPC_LB_CONFLICT';

  constructor(message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.name = 'GrpcLbConflictError';
  }
}

/** The client is closed. */
export class GrpcLbClosedError extends GrpcLbError {
  readonly code = 'GRPC_LB_CLOSED';

  constructor(message: string) {
    super(message);
    this.name = 'GrpcLbClosedError';
  }
}

/**
 * An endpoint source could not get a usable list. A client reports it as `discovery_failed`, and keeps its last list.
 */
export class GrpcLbDiscoveryError extends GrpcLbError {
  readonly code = 'GRPC_LB_DISCOVERY_FAILED';

  constructor(message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.name = 'GrpcLbDiscoveryError';
  }
}
