import type http2 from 'node:http2';
import { Duplex } from 'node:stream';
import { type ServerInterceptingCallInterface, status as Status } from '@grpc/grpc-js';
import type { EndMark } from './observed-call.js';

/** How a call has ended that neither its handler nor this package has ended. */
export interface UnansweredEnd {
  readonly code: Status;
  readonly details: string;
  readonly mark?: EndMark;
}

/** How grpc-js begins the details of a response that it could not send. The last one is that of a write, since 1.14.6. */
const OF_RESPONSE =
  /^(?:Error serializing response|Sent message larger than max|Error writing message|Internal server error)/;

const UNREADABLE: EndMark = { unreadable: true };

/** A client whose deadline passes cancels the call, which may come here just before the server's own timer. */
const DEADLINE_TOLERANCE_MS = 20;

/**
 * How a call has ended whose stream is gone. grpc-js ends some past its interceptors: if a request cannot be decoded or is
 * too large, if a response cannot be encoded or is too large, and at the deadline. Otherwise the caller has left.
 */
export function unansweredEnd(call: ServerInterceptingCallInterface): UnansweredEnd {
  const sent = sentStatus(call);
  if (sent && (sent.code === Status.DEADLINE_EXCEEDED || OF_RESPONSE.test(sent.details))) return sent;
  if (sent) return { ...sent, mark: UNREADABLE };
  const isDue = Number(call.getDeadline()) - DEADLINE_TOLERANCE_MS <= Date.now();
  return { code: isDue ? Status.DEADLINE_EXCEEDED : Status.CANCELLED, details: '' };
}

/**
 * The status in the trailers, or in the headers if there was no response. The stream is a private field of grpc-js, read
 * defensively: if it is not as expected, no status is found.
 */
function sentStatus(call: ServerInterceptingCallInterface): { code: Status; details: string } | undefined {
  const { stream } = call as unknown as { readonly stream?: unknown };
  if (!(stream instanceof Duplex)) return undefined;
  const { sentTrailers, sentHeaders } = stream as Partial<http2.ServerHttp2Stream> & Duplex;
  const sent = sentTrailers?.['grpc-status'] === undefined ? sentHeaders : sentTrailers;
  const code = Number(sent?.['grpc-status'] ?? NaN);
  return Status[code] === undefined ? undefined : { code, details: decoded(String(sent!['grpc-message'] ?? '')) };
}

function decoded(message: string): string {
  try {
    return decodeURI(message);
  } catch {
    return message;
  }
}
