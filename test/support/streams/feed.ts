import { once } from 'node:events';
import net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { HealthImplementation, type ServingStatusMap } from 'grpc-health-check';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Echo, type Line } from '../echo/cluster.js';
import { closeWithTest } from '../run/close-with-test.js';

type Call = grpc.ServerWritableStream<Line, Partial<Line>>;

/** Messages 1, 2, 3, ... that all servers of a feed serve from the number after the one in the request. */
export class Feed {
  length = 0;
  readonly servers = new Set<FeedServer>();

  /** Writes more messages. */
  append(count = 1): void {
    this.length += count;
    for (const server of this.servers) for (const stream of server.streams) stream.send();
  }
}

/** How a server of a feed differs from others. */
export interface FeedBehavior {
  /** How many messages before the one after the token it begins. */
  overlap: number;
  /** Sends the headers at once. */
  headers: boolean;
  /** Called with each new stream; returns the status with which it refuses it. */
  refuse?: (after: number, call: Call) => Partial<grpc.StatusObject> | undefined;
  /** Response headers. */
  metadata?: Record<string, string>;
  /** Sends nothing. */
  silent: boolean;
}

class FeedStream {
  #next: number;
  #blocked = false;

  constructor(
    private readonly server: FeedServer,
    readonly call: Call,
    after: number,
  ) {
    this.#next = after;
  }

  send(): void {
    const { feed, behavior, address } = this.server;
    while (!this.#blocked && !behavior.silent && this.#next < feed.length && !this.call.cancelled) {
      const room = this.call.write({ text: String(++this.#next), server: address, times: this.#next });
      this.server.sent++;
      if (room) continue;
      this.#blocked = true;
      this.server.blocked++;
      this.call.once('drain', () => {
        this.#blocked = false;
        this.send();
      });
    }
  }
}

/** A real gRPC server of a feed, in this process: `Repeat` of echo.proto, with the token as text. It ends with the test. */
export class FeedServer {
  port = 0;
  /** Messages written to streams. */
  sent = 0;
  /** How often a stream has had to wait, because its client does not read. */
  blocked = 0;
  /** Streams that have begun. */
  begun = 0;
  readonly streams = new Set<FeedStream>();
  readonly behavior: FeedBehavior = { overlap: 0, headers: false, silent: false };
  /** The requests of its streams. */
  readonly requests: Line[] = [];
  health: HealthImplementation | undefined;
  #server: grpc.Server | undefined;
  #front: net.Server | undefined;
  readonly #sockets = new Set<net.Socket>();

  constructor(
    readonly feed: Feed,
    private readonly options: { readonly withHealth?: ServingStatusMap } = {},
  ) {
    closeWithTest(() => this.kill());
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    const server = new grpc.Server();
    if (this.options.withHealth) {
      this.health = new HealthImplementation(this.options.withHealth);
      this.health.addToServer(server);
    }
    server.addService(Echo.service, { Repeat: (call: Call) => this.#serve(call) } as grpc.UntypedServiceImplementation);
    this.#front = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      injector.injectConnection(socket);
    });
    const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    this.#server = server;
    this.port ||= await freePort();
    await once(this.#front.listen(this.port, '127.0.0.1'), 'listening');
    this.feed.servers.add(this);
    return this;
  }

  /** As a process that dies. */
  async kill(): Promise<void> {
    const front = this.#front;
    this.#front = undefined;
    this.feed.servers.delete(this);
    const closed = front && once(front, 'close');
    front?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#server?.forceShutdown();
    await closed;
  }

  /** As a server of stock Nest that is told to end: `forceShutdown` of grpc-js. */
  forceShutdown(): void {
    this.feed.servers.delete(this);
    this.#front?.close();
    this.#server!.forceShutdown();
  }

  /** Sends GOAWAY on all connections; streams go on. */
  goAway(): void {
    this.#server!.tryShutdown(() => {});
  }

  /** Ends the streams with a status, and trailers. */
  endStreams(status: Partial<grpc.StatusObject>, trailers: Record<string, string> = {}): void {
    for (const { call } of this.streams) fail(call, status, trailers);
  }

  #serve(call: Call): void {
    const { behavior } = this;
    this.begun++;
    this.requests.push(call.request);
    const after = Number(call.request.text || 0);
    const refusal = behavior.refuse?.(after, call);
    if (refusal) return fail(call, refusal);
    const headers = new grpc.Metadata();
    for (const [key, value] of Object.entries(behavior.metadata ?? {})) headers.set(key, value);
    if (behavior.headers || behavior.metadata) call.sendMetadata(headers);
    const stream = new FeedStream(this, call, Math.max(0, after - behavior.overlap));
    this.streams.add(stream);
    const gone = (): void => void this.streams.delete(stream);
    call.on('cancelled', gone).on('close', gone).on('error', gone);
    stream.send();
  }
}

function fail(call: Call, status: Partial<grpc.StatusObject>, trailers: Record<string, string> = {}): void {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
  call.emit('error', { code: grpc.status.UNAVAILABLE, details: 'ended by the test', metadata, ...status });
}

/** Starts `count` servers of one feed. */
export async function startFeed(
  count: number,
  options?: ConstructorParameters<typeof FeedServer>[1],
): Promise<{ feed: Feed; servers: FeedServer[] }> {
  const feed = new Feed();
  const servers = await Promise.all(Array.from({ length: count }, () => new FeedServer(feed, options).start()));
  return { feed, servers };
}
