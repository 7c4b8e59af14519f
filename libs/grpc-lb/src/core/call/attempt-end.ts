/**
 * How far an attempt came (gRFC A6, "transparent retries"). `exhausted`: the call has tried all endpoints. `dropped`:
 * the client refused it, and would refuse another one. `not_placed`: no endpoint could take it. `refused`: the
 * peer has not processed it (REFUSED_STREAM, or GOAWAY with a lower stream id). `shed`: the server has not processed it,
 * because it has too much to do. `processed`: it may have run.
 */
export type AttemptProgress = 'exhausted' | 'dropped' | 'not_placed' | 'refused' | 'shed' | 'processed';

/** How an attempt ended. */
export interface AttemptEnd {
  /** The gRPC status code. */
  readonly code: number;
  readonly progress: AttemptProgress;
  /** `grpc-retry-pushback-ms`: milliseconds until the next attempt may start; negative if there must be none. */
  readonly pushback?: number | undefined;
  /** Whether the attempt timeout ended it. */
  readonly timedOut?: boolean;
  /** Whether this side caused the end: another attempt would end in the same way. */
  readonly local?: boolean;
}
