import { once } from 'node:events';
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type net from 'node:net';
import type { Clock } from '../../../libs/grpc-lb/src/core/clock.js';
import { StrikeCounter } from './strike-counter.js';

const EMPTY_MESSAGE = Buffer.alloc(5);

/**
 * A gRPC server that ends connections on which too many PINGs come, as those of grpc-go do. Calls of `Say` are answered
 * after a while, streams of `Repeat` never. It has no health service.
 */
export class StrictPingServer {
  port = 0;
  pings = 0;
  cuts = 0;
  readonly #server = http2.createServer({ settings: { maxConcurrentStreams: 10_000 } });
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(
    private readonly clock: Clock,
    private readonly answerAfter: number,
  ) {
    this.#server.on('session', (session) => this.#accept(session));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as net.AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(session: ServerHttp2Session): void {
    const strikes = new StrikeCounter();
    let open = 0;
    this.#sessions.add(session);
    session.on('close', () => this.#sessions.delete(session)).on('error', () => {});
    session.on('ping', () => {
      this.pings++;
      strikes.ping(this.clock.now(), open > 0);
      if (!strikes.cut) return;
      this.cuts++;
      session.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'));
      session.destroy();
    });
    session.on('stream', (stream, headers) => {
      open++;
      stream.on('error', () => {}).on('close', () => open--);
      const path = headers[':path'] ?? '';
      if (path.endsWith('/Say')) this.clock.after(this.answerAfter, () => answer(stream, strikes));
      else if (!path.endsWith('/Repeat')) refuse(stream, strikes);
    });
  }
}

function answer(stream: ServerHttp2Stream, strikes: StrikeCounter): void {
  if (stream.destroyed) return;
  strikes.replied();
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(EMPTY_MESSAGE);
}

/** UNIMPLEMENTED. */
function refuse(stream: ServerHttp2Stream, strikes: StrikeCounter): void {
  strikes.replied();
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true });
}
