import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { closeWithTest } from '../run/close-with-test.js';

/** The kinds of HTTP/2 frames that tests count, by their number. */
const KINDS = { 0: 'DATA', 1: 'HEADERS', 3: 'RST_STREAM' } as const;

export interface Frame {
  readonly kind: (typeof KINDS)[keyof typeof KINDS];
  readonly stream: number;
  /** Of the payload. */
  readonly bytes: number;
  /** The error code of a RST_STREAM. */
  readonly code: number | undefined;
}

export interface RawCall {
  readonly stream: http2.ServerHttp2Stream;
  readonly headers: http2.IncomingHttpHeaders;
  /** The payload of the requests with their frame headers; resolves when the client has half-closed. */
  readonly requests: Promise<Buffer>;
}

export interface Answer {
  readonly headers?: http2.OutgoingHttpHeaders;
  readonly messages?: readonly Buffer[];
  readonly trailers?: http2.OutgoingHttpHeaders;
}

/** An HTTP/2 server that sends whatever a test wants, and sees each frame of the client. It ends with the test. */
export class RawPeer {
  readonly calls: RawCall[] = [];
  readonly frames: Frame[] = [];
  readonly #sockets = new Set<net.Socket>();
  readonly #sessions = new Set<http2.ServerHttp2Session>();
  readonly #server: http2.Http2Server;
  readonly #front: net.Server;
  port = 0;
  #wake = (): void => {};

  constructor(handle: (call: RawCall) => unknown, settings: http2.Settings = {}) {
    this.#server = http2.createServer({ settings });
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      const requests = new Promise<Buffer>((resolve) => {
        const parts: Buffer[] = [];
        stream.on('end', () => resolve(Buffer.concat(parts)));
        // Only a handler that asks for the requests takes them off the stream.
        reads.set(stream, () => stream.on('data', (part: Buffer) => parts.push(part)));
      });
      const call = { stream, headers, requests };
      this.calls.push(call);
      this.#wake();
      void handle(call);
    });
    this.#front = net.createServer((socket) => this.#accept(socket));
    closeWithTest(() => this.close());
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get target(): string {
    return `static:///${this.address}`;
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    this.#front.listen(0, '127.0.0.1');
    await Promise.all([once(this.#server, 'listening'), once(this.#front, 'listening')]);
    this.port = (this.#front.address() as net.AddressInfo).port;
    return this;
  }

  /** Resolves when so many calls have arrived. */
  async arrived(count: number): Promise<void> {
    while (this.calls.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** How many frames of this kind have arrived, for any stream or for one. */
  count(kind: Frame['kind'], stream?: number): number {
    return this.frames.filter((frame) => frame.kind === kind && (stream ?? frame.stream) === frame.stream).length;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    // One that has sent a GOAWAY when its last stream was reset already does not hear the end of its socket.
    for (const session of this.#sessions) session.destroy();
    if (!this.#front.listening) return;
    this.#front.close();
    this.#server.close();
    await Promise.all([once(this.#front, 'close'), once(this.#server, 'close')]);
  }

  #accept(socket: net.Socket): void {
    const back = net.connect((this.#server.address() as net.AddressInfo).port, '127.0.0.1');
    for (const each of [socket, back]) {
      this.#sockets.add(each);
      each.setNoDelay(true);
      each.on('error', () => {});
      each.once('close', () => {
        this.#sockets.delete(each);
        socket.destroy();
        back.destroy();
      });
    }
    const read = frameReader((frame) => this.frames.push(frame));
    socket.on('data', read);
    socket.pipe(back).pipe(socket);
  }
}

const reads = new WeakMap<http2.ServerHttp2Stream, () => void>();

/** All requests of a call, when it has been half-closed. */
export function requestsOf({ stream, requests }: RawCall): Promise<Buffer> {
  reads.get(stream)!();
  return requests;
}

/** Answers a call. Without messages and headers it is a trailers-only answer. */
export function answer({ stream }: RawCall, { headers, messages = [], trailers = { 'grpc-status': 0 } }: Answer): void {
  if (stream.destroyed || stream.closed) return;
  const first = { ':status': 200, 'content-type': 'application/grpc', ...headers };
  if (!headers && messages.length === 0) {
    stream.respond({ ...first, ...trailers }, { endStream: true });
    return;
  }
  stream.respond(first, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  for (const each of messages) stream.write(each);
  stream.end();
}

/** Reads all requests of a call, and answers. */
export async function answerAll(call: RawCall, with_: Answer): Promise<void> {
  await requestsOf(call);
  answer(call, with_);
}

/** A gRPC message frame. */
export function message(payload: Buffer | string, flags = 0): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

const PREFACE = 24;
const HEADER = 9;

function frameReader(onFrame: (frame: Frame) => void): (part: Buffer) => void {
  let rest = Buffer.alloc(0);
  let skip = PREFACE;
  return (part) => {
    rest = Buffer.concat([rest, part]);
    for (;;) {
      const skipped = Math.min(skip, rest.length);
      skip -= skipped;
      rest = rest.subarray(skipped);
      if (skip > 0 || rest.length < HEADER) return;
      const bytes = rest.readUIntBE(0, 3);
      const kind = KINDS[rest[3] as keyof typeof KINDS] as Frame['kind'] | undefined;
      // Only the payload of RST_STREAM is read.
      if (kind === 'RST_STREAM' && rest.length < HEADER + bytes) return;
      const code = kind === 'RST_STREAM' ? rest.readUInt32BE(HEADER) : undefined;
      if (kind) onFrame({ kind, stream: rest.readUInt32BE(5) & 0x7fffffff, bytes, code });
      skip = HEADER + bytes;
    }
  };
}
