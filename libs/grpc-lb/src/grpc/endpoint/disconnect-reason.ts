/** HTTP/2's error codes (RFC 9113, section 7): the number is the index. */
const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/** gRFC A94: "GOAWAY <ERROR_CODE>: HTTP2 GOAWAY frame with error code". A peer may send any number. */
export function goawayReason(code: number): string {
  const name = CODES[code];
  return name === undefined ? 'unknown' : `GOAWAY ${name}`;
}

/** gRFC A94: "socket error: Any socket error not covered by" the others. */
export function socketReason(code: string | undefined): string {
  switch (code) {
    case 'ECONNRESET':
      return 'connection reset';
    case 'ETIMEDOUT':
      return 'connection timed out';
    case 'ECONNABORTED':
      return 'connection aborted';
    default:
      return 'socket error';
  }
}
