import { constants } from 'node:http2';
import { type Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import { DEGRADED_KEY } from './degraded-trailer.js';
import { REPORT_KEY } from '../endpoint/orca-report.js';

/** A status with the code of the RST_STREAM frame that ended the stream, if one did. */
export type StreamStatus = StatusObject & { readonly rstCode?: number };

/** Codes that a control plane must not return (gRFC A54), because a server might have sent them. */
const INAPPROPRIATE = new Set<Status>([
  Status.OK,
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.FAILED_PRECONDITION,
  Status.ABORTED,
  Status.OUT_OF_RANGE,
  Status.DATA_LOSS,
]);

/** A status from credentials or balancing as the caller gets it (gRFC A54). */
export function controlPlaneStatus(code: Status, details: string): { readonly code: Status; readonly details: string } {
  if (!INAPPROPRIATE.has(code)) return { code, details };
  return { code: Status.INTERNAL, details: `Invalid status from control plane: ${code} ${Status[code]} ${details}` };
}

/**
 * Whether grpc-js ended the stream on this side because a response exceeded `maxReceiveMessageLength`. It reports that
 * like a status of the peer, but without trailers.
 */
export function isReceiveLimit({ code, details, metadata }: StatusObject): boolean {
  return (
    code === Status.RESOURCE_EXHAUSTED &&
    details.startsWith('Received message larger than max (') &&
    Object.keys(metadata.getMap()).length === 0
  );
}

/** Whether the peer refused the stream before it ran, on a channel whose calls are those of grpc-js. */
export function isRefused({ code, details }: StatusObject): boolean {
  return code === Status.UNAVAILABLE && details === 'Stream refused by server';
}

/** How grpc-js reports a stream that ended because of an error on this side. */
const INTERNAL_CLIENT_ERROR = 'triggered by internal client error: ';
/**
 * Errors of a socket whose peer or network is gone, and of a session that its peer has ended, as Node.js does when many
 * streams are canceled at once. grpc-js knows only ECONNRESET and ETIMEDOUT.
 */
const CONNECTION_LOST =
  /\b(?:Session closed with error code|EPIPE|ECONNABORTED|ENETDOWN|ENETUNREACH|EHOSTDOWN|EHOSTUNREACH|ENOTCONN)\b/;

/**
 * Errors of a stream for which its session had no room any more, so that nothing of it was sent. From Node 24 on the
 * stream fails with them; before, the attempt to open it threw.
 */
const UNSENT = /New streams cannot be created after receiving a GOAWAY|The session has been destroyed/;

/** Whether the connection could not take the stream, so that no server has seen the call. */
export function isUnsent({ code, details }: StatusObject): boolean {
  return code === Status.INTERNAL && details.includes(INTERNAL_CLIENT_ERROR) && UNSENT.test(details);
}

/**
 * The status of a stream whose connection was lost while this side wrote: UNAVAILABLE, not the INTERNAL of grpc-js, so
 * that the call is retried and counts as a failure of the endpoint like every lost connection. Other statuses unchanged.
 */
export function withLostConnection(status: StatusObject): StatusObject {
  const { code, details, metadata } = status;
  if (code !== Status.INTERNAL) return status;
  const at = details.indexOf(INTERNAL_CLIENT_ERROR);
  if (at < 0 || !(CONNECTION_LOST.test(details) || UNSENT.test(details)) || Object.keys(metadata.getMap()).length > 0)
    return status;
  const error = details.slice(at + INTERNAL_CLIENT_ERROR.length);
  return { code: Status.UNAVAILABLE, details: `The connection was lost: ${error}`, metadata };
}

/**
 * The status of a call that a server cancels while it closes the connection, as a server of grpc-js does by
 * `forceShutdown`, and so Nest without `gracefulShutdown`: UNAVAILABLE, as "Server shutting down" is in gRPC's list of
 * statuses, not grpc-js's CANCELLED, so that it is retried. Node.js also reports a lost connection in this way, now and
 * then.
 */
export function cancelledByLoss(status: StatusObject): StatusObject {
  if (status.code !== Status.CANCELLED) return status;
  const details = 'The server closed the connection and cancelled the call';
  return { code: Status.UNAVAILABLE, details, metadata: status.metadata };
}

/**
 * The status of a call that a server resets without a status while it closes the connection, as a server of grpc-js does
 * when the grace of an old connection ends (`grpc.max_connection_age_grace_ms`): UNAVAILABLE like every lost connection,
 * not grpc-js's INTERNAL.
 */
export function resetByLoss(status: StatusObject): StatusObject {
  const { code, metadata } = status;
  if (code !== Status.INTERNAL || Object.keys(metadata.getMap()).length > 0) return status;
  return { code: Status.UNAVAILABLE, details: 'The server closed the connection without ending the call', metadata };
}

/** How grpc-js reports a stream whose connection has ended. */
const DROPPED = 'Connection dropped';

/**
 * Whether grpc-js has made the status because the connection was lost. A server may send the same words, as when its
 * handler passes on an error.
 */
export function isLoss({ code, details, metadata, rstCode }: StreamStatus, connectionLost: boolean): boolean {
  if (code !== Status.UNAVAILABLE || Object.keys(metadata.getMap()).length > 0) return false;
  if (rstCode === constants.NGHTTP2_CANCEL || rstCode === constants.NGHTTP2_INTERNAL_ERROR) return true;
  return rstCode === undefined && connectionLost && details === DROPPED;
}

/** A status that this side has made, with the address of the backend, in the words of the details of a deadline. */
export function withPeer({ code, details, metadata }: StatusObject, peer: string | undefined): StatusObject {
  return { code, details: peer === undefined ? details : `${details},remote_addr=${peer}`, metadata };
}

const PUSHBACK_KEY = 'grpc-retry-pushback-ms';

/** gRFC A6: "an ASCII encoded signed 32-bit integer with no unnecessary leading zeros". */
const PUSHBACK = /^(?:0|-?[1-9]\d{0,9})$/;

/**
 * `grpc-retry-pushback-ms` in milliseconds; NaN if it cannot be read, undefined if there is none. A delay beyond 32 bits
 * would hold a call without a deadline for weeks.
 */
export function retryPushback(metadata: Metadata): number | undefined {
  const [value] = metadata.get(PUSHBACK_KEY);
  if (value === undefined) return undefined;
  const delay = typeof value === 'string' && PUSHBACK.test(value) ? Number(value) : Number.NaN;
  return delay === (delay | 0) ? delay : Number.NaN;
}

/** The trailer by which the server side says that it has shed a call, and not processed it. */
const SHED_KEY = 'grpc-lb-shed';

/**
 * Removes what a server says of itself to its clients. A handler may pass on the error of a call that it has made, and
 * its callers would take that server's load for the handler's, and a call that has run for one that has not. That a call
 * must not be repeated stays true.
 */
export function removeOwnTrailers(trailers: Metadata): void {
  trailers.remove(REPORT_KEY);
  trailers.remove(DEGRADED_KEY);
  if (trailers.get(SHED_KEY).length === 0) return;
  trailers.remove(SHED_KEY);
  if (retryPushback(trailers) === 0) trailers.remove(PUSHBACK_KEY);
}

/** Whether a server that has too much to do has ended the call without processing it. */
export function isShed({ code, metadata }: StatusObject): boolean {
  return code === Status.UNAVAILABLE && metadata.get(SHED_KEY).length > 0;
}
