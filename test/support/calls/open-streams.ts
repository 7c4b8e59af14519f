import http2 from 'node:http2';

type Connect = (authority: string, options: http2.ClientSessionOptions) => http2.ClientHttp2Session;
type CreateServer = (options?: http2.ServerOptions) => http2.Http2Server;

/**
 * The HTTP/2 streams of this process that are open. What handlers see does not count: grpc-js may start one whose stream
 * has been reset, and never tells it.
 */
export class OpenStreams {
  readonly #ofClients = new Set<http2.ClientHttp2Stream>();
  readonly #ofServers = new Set<http2.ServerHttp2Stream>();
  readonly #original = { connect: http2.connect, createServer: http2.createServer };

  /** Watches the sessions and servers that are created from now on. */
  constructor() {
    const connect = http2.connect as Connect;
    const createServer = http2.createServer as CreateServer;
    const watchedConnect: Connect = (authority, options) => {
      const session = connect(authority, options);
      const request = session.request.bind(session);
      session.request = (headers, more) => watch(this.#ofClients, request(headers, more));
      return session;
    };
    const watchedServer: CreateServer = (options) => {
      const server = createServer(options);
      server.on('stream', (stream) => void watch(this.#ofServers, stream));
      return server;
    };
    // grpc-js looks both up in the same object each time.
    Object.assign(http2, { connect: watchedConnect, createServer: watchedServer });
  }

  get ofClients(): number {
    return this.#ofClients.size;
  }

  get ofServers(): number {
    return this.#ofServers.size;
  }

  stop(): void {
    Object.assign(http2, this.#original);
  }
}

function watch<T extends http2.Http2Stream>(open: Set<T>, stream: T): T {
  open.add(stream);
  stream.once('close', () => open.delete(stream));
  return stream;
}
