import { once } from 'node:events';
import http2, { type Http2Session, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type net from 'node:net';
import { freePort } from 'nestjs-grpc-lb/testing';
import { closeWithTest } from '../run/close-with-test.js';

/** One gRPC message, not compressed. */
export function frameOf(message: Buffer): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, 5);
  return frame;
}

/** Answers a unary call with a message, by default an empty one. */
export function answer(stream: ServerHttp2Stream, message: Buffer = Buffer.alloc(0)): void {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(frameOf(message));
}

/** The call has not run, and may be sent again. */
export function refuse(stream: ServerHttp2Stream): void {
  stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
}

/** A gRPC server on bare HTTP/2, for what grpc-js's own cannot do: refuse streams, or end connections at any moment. */
export class RawServer {
  port = 0;
  /** Connections since the start. */
  accepted = 0;
  /** Calls that have arrived, without those of other services. */
  calls = 0;
  /** Called for each call of `Say`. */
  onCall: (stream: ServerHttp2Stream) => void = answer;
  /** Called for each connection, as soon as the client has seen it. */
  onConnection: (session: ServerHttp2Session) => void = () => {};
  readonly sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new WeakMap<Http2Session, net.Socket>();
  #server: http2.Http2Server | undefined;

  constructor(private readonly settings: http2.Settings = {}) {
    closeWithTest(() => this.stop());
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Listens; on the port it had before when it is started again. */
  async start(): Promise<this> {
    const server = http2.createServer({ settings: this.settings });
    server.prependListener('connection', (socket: net.Socket) =>
      server.once('session', (session) => this.#accept(session, socket)),
    );
    this.port ||= await freePort();
    await once(server.listen(this.port, '127.0.0.1'), 'listening');
    this.#server = server;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  }

  /**
   * Ends a connection without a word, and serves no call of it any more. It ends when Node has read what has arrived:
   * Node 22.23.3 aborts if a session is destroyed before, as in a handler of `stream` (nodejs/node#64850).
   */
  cut(session: Http2Session): void {
    const socket = this.#sockets.get(session);
    this.#sockets.delete(session);
    setImmediate(() => socket?.destroy());
  }

  #accept(session: ServerHttp2Session, socket: net.Socket): void {
    this.accepted++;
    this.sessions.add(session);
    this.#sockets.set(session, socket);
    session.on('close', () => this.sessions.delete(session)).on('error', () => {});
    // The client answers the SETTINGS when it has a connection.
    session.once('localSettings', () => this.onConnection(session));
    session.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      if (!this.#sockets.has(session)) return;
      if (headers[':path']?.endsWith('/Say')) {
        this.calls++;
        this.onCall(stream);
      } else
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' },
          { endStream: true },
        );
    });
  }
}

export async function startRawServers(count: number, settings?: http2.Settings): Promise<RawServer[]> {
  return Promise.all(Array.from({ length: count }, () => new RawServer(settings).start()));
}
