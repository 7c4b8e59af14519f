import * as grpc from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { deferred, Echo, type Line } from '../echo/cluster.js';

export type PartialLine = Partial<Line>;

/** What the backend does with each kind of call, in the terms of grpc-js. */
export interface Script {
  say?: grpc.handleUnaryCall<Line, PartialLine>;
  repeat?: grpc.handleServerStreamingCall<Line, PartialLine>;
  join?: grpc.handleClientStreamingCall<Line, PartialLine>;
  talk?: grpc.handleBidiStreamingCall<Line, PartialLine>;
}

/** A call as it has arrived. */
export interface SeenCall {
  readonly method: keyof Script;
  readonly metadata: grpc.Metadata;
  /** The end of its life as the client has set it; `Infinity` when it has set none. */
  readonly deadline: grpc.Deadline;
  /** Resolves when the client cancels it. */
  readonly cancelled: Promise<unknown>;
}

type ServerCall = grpc.ServerUnaryCall<Line, PartialLine> &
  grpc.ServerWritableStream<Line, PartialLine> &
  grpc.ServerReadableStream<Line, PartialLine>;

/**
 * A server whose calls a test plays by hand, for what an echo cannot show: errors in the middle, slow readers, trailers,
 * and what arrives of a cancellation. It ends with the test.
 */
export class ScriptedBackend {
  readonly seen: SeenCall[] = [];
  port = 0;
  readonly #server: grpc.Server;
  #arrival = deferred<SeenCall>();

  constructor(
    readonly script: Script,
    options: grpc.ServerOptions = {},
  ) {
    this.#server = new grpc.Server(options);
    const methods: (keyof Script)[] = ['say', 'repeat', 'join', 'talk'];
    this.#server.addService(Echo.service, Object.fromEntries(methods.map((method) => [method, this.#play(method)])));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get target(): string {
    return `static:///${this.address}`;
  }

  /** The next call to arrive. */
  get arrival(): Promise<SeenCall> {
    return this.#arrival.promise;
  }

  async start(credentials = grpc.ServerCredentials.createInsecure()): Promise<this> {
    this.port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(this.address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
    onTestFinished(() => this.#server.forceShutdown());
    return this;
  }

  #play(method: keyof Script): grpc.UntypedHandleCall {
    const play = (call: ServerCall, done: grpc.sendUnaryData<PartialLine>): void => {
      const cancelled = new Promise((resolve) => call.once('cancelled', resolve));
      const seen: SeenCall = { method, metadata: call.metadata, deadline: call.getDeadline(), cancelled };
      this.seen.push(seen);
      // A stream that is cancelled also emits an error here.
      call.on('error', () => {});
      this.#arrival.resolve(seen);
      this.#arrival = deferred();
      const handler = this.script[method] as ((call: unknown, done: unknown) => void) | undefined;
      if (handler) handler(call, done);
      else call.emit('error', { code: grpc.status.UNIMPLEMENTED, details: `${method} has no script` });
    };
    return play as grpc.UntypedHandleCall;
  }
}

/** An error as a handler ends its call with. */
export function failure(code: grpc.status, details: string, trailers: Record<string, string> = {}): grpc.ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: metadataOf(trailers) });
}

export function metadataOf(entries: Record<string, string>): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
}
