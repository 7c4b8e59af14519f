import http2, { type IncomingHttpHeaders } from 'node:http2';
import { frameOf, isCompressed, messageIn } from '../../grpc/call/frame.js';
import { firstOutcome } from '../outcome.js';
import type { Http2Peer } from './session.js';

export interface RawCall {
  /** As in `/grpc.health.v1.Health/Watch`. */
  readonly path: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly request: Uint8Array;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** The longest message that is read. */
  readonly maxBytes: number;
}

/** How a call went until its first message or its status, whichever came first. */
export type RawAnswer = (
  | { readonly kind: 'message'; readonly message: Buffer }
  | { readonly kind: 'status'; readonly code: number; readonly text: string }
  /** No gRPC status: a page, or a message that cannot be read. */
  | { readonly kind: 'other'; readonly text: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'lost'; readonly text: string }
) & {
  /** The first headers; undefined if none came. */
  readonly headers: IncomingHttpHeaders | undefined;
  /** When the request went out and the headers came in, by `Date.now()`. */
  readonly sentAt: number;
  readonly headersAt: number;
};

type Kind = RawAnswer extends infer A
  ? A extends unknown
    ? Omit<A, 'headers' | 'sentAt' | 'headersAt'>
    : never
  : never;

const FRAME_HEADER = 5;

/** Makes one call on a connection, takes its first message, and cancels the rest. Never rejects. */
export async function callOnce({ session }: Http2Peer, call: RawCall): Promise<RawAnswer> {
  const sentAt = Date.now();
  let headersAt = sentAt;
  let headers: IncomingHttpHeaders | undefined;
  const stream = requestOn(session, call);
  if (!stream) return { kind: 'lost', text: 'the connection takes no call', headers, sentAt, headersAt };
  const kind = await firstOutcome<Kind>(
    call.timeoutMs,
    () => ({ kind: 'timeout' }),
    (settle) => {
      const status = (of: IncomingHttpHeaders): void => {
        if (of['grpc-status'] !== undefined) {
          settle({ kind: 'status', code: Number(of['grpc-status']), text: decoded(of['grpc-message']) });
        }
      };
      stream.on('response', (first) => {
        headersAt = Date.now();
        headers = first;
        if (first[':status'] !== 200) settle({ kind: 'other', text: `HTTP status ${first[':status']}` });
        else if (!first['content-type']?.startsWith('application/grpc'))
          settle({ kind: 'other', text: `content-type ${JSON.stringify(first['content-type'] ?? '')}` });
        else status(first);
      });
      stream.on('trailers', status);
      const reader = new FirstMessage(call.maxBytes);
      stream.on('data', (part: Buffer) => {
        const read = reader.read(part);
        if (read) settle(read);
      });
      stream.on('error', (error: Error) => settle({ kind: 'lost', text: error.message }));
      stream.on('close', () =>
        settle({ kind: 'lost', text: `the stream was reset with code ${stream.rstCode}, without a status` }),
      );
      stream.end(frameOf(call.request));
    },
  );
  stream.close(http2.constants.NGHTTP2_CANCEL);
  return { ...kind, headers, sentAt, headersAt };
}

/** Undefined if the session is closed. */
function requestOn(
  session: http2.ClientHttp2Session,
  { scheme, authority, path, metadata }: RawCall,
): http2.ClientHttp2Stream | undefined {
  try {
    return session.request({
      ':method': 'POST',
      ':scheme': scheme,
      ':authority': authority,
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'nestjs-grpc-lb-doctor',
      ...metadata,
    });
  } catch {
    return undefined;
  }
}

/** Collects the first message of a stream, within a limit, and copies it once, however it is cut. */
class FirstMessage {
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #needed = FRAME_HEADER;

  constructor(private readonly maxBytes: number) {}

  read(part: Buffer): Kind | undefined {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes < this.#needed) return undefined;
    const frame = Buffer.concat(this.#parts);
    this.#parts.splice(0, this.#parts.length, frame);
    const length = frame.readUInt32BE(1);
    if (length > this.maxBytes) return { kind: 'other', text: `a message of ${length} bytes` };
    if (isCompressed(frame)) return { kind: 'other', text: 'a compressed message, without being asked for one' };
    this.#needed = FRAME_HEADER + length;
    if (frame.length < this.#needed) return undefined;
    return { kind: 'message', message: messageIn(frame).subarray(0, length) };
  }
}

/** `grpc-message` is percent-encoded (PROTOCOL-HTTP2). */
function decoded(text: string | string[] | undefined): string {
  const raw = String(text ?? '').slice(0, 500);
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}
