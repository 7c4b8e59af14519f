import * as grpc from '@grpc/grpc-js';
import {
  type BalancedChannel,
  type BalancedChannelOptions,
  createBalancedChannel,
} from '../../../libs/grpc-lb/src/grpc/channel/balanced-channel.js';
import { closeWithTest } from '../run/close-with-test.js';

/** The four kinds of calls, with their method in echo.proto. */
export const METHODS = {
  unary: 'Say',
  'server streaming': 'Repeat',
  'client streaming': 'Join',
  bidi: 'Talk',
} as const;
export type Kind = keyof typeof METHODS;
export const KINDS = Object.keys(METHODS) as Kind[];

/** What the caller gets, in its order: `headers`, messages, and the end. */
export interface Result {
  readonly headers: Record<string, unknown> | undefined;
  readonly messages: readonly string[];
  readonly code: grpc.status;
  readonly details: string;
  readonly trailers: Record<string, unknown>;
}

export interface CallSpec extends grpc.CallOptions {
  readonly requests?: readonly (Buffer | string)[];
  readonly metadata?: grpc.Metadata;
  /** Sees the call in the turn of its start. */
  readonly onCall?: (call: AnyCall) => void;
}

export type AnyCall = grpc.ClientUnaryCall | grpc.ClientWritableStream<Buffer> | grpc.ClientReadableStream<Buffer>;

const raw = (bytes: Buffer): Buffer => bytes;
/** Too long for an assertion to show. */
const shown = (bytes: Buffer): string => (bytes.length > 100 ? `${bytes.length} bytes` : bytes.toString());

/** Makes a call through grpc-js's own Client; its messages are plain bytes. */
export function call(client: grpc.Client, kind: Kind, spec: CallSpec = {}): Promise<Result> {
  const { requests = ['ask'], metadata = new grpc.Metadata(), onCall, ...options } = spec;
  const path = `/echo.v1.Echo/${METHODS[kind]}`;
  const messages: string[] = [];
  let headers: Record<string, unknown> | undefined;
  return new Promise((resolve) => {
    let failure: grpc.ServiceError | undefined;
    const done: grpc.requestCallback<Buffer> = (error, response) => {
      if (error) failure = error;
      else messages.push(shown(response!));
    };
    const [first] = requests.map((each) => Buffer.from(each));
    const running: AnyCall =
      kind === 'unary'
        ? client.makeUnaryRequest(path, raw, raw, first!, metadata, options, done)
        : kind === 'client streaming'
          ? client.makeClientStreamRequest(path, raw, raw, metadata, options, done)
          : kind === 'server streaming'
            ? client.makeServerStreamRequest(path, raw, raw, first!, metadata, options)
            : client.makeBidiStreamRequest(path, raw, raw, metadata, options);
    running.on('metadata', (received: grpc.Metadata) => (headers = plain(received)));
    if (isReadable(running)) {
      running.on('data', (response: Buffer) => messages.push(shown(response)));
      running.on('error', (error) => (failure = error as grpc.ServiceError));
    }
    running.on('status', (status: grpc.StatusObject) => {
      const { code, details, metadata: trailers } = failure ?? status;
      const result = { headers, messages, code, details, trailers: plain(trailers) };
      if (isReadable(running) && !running.readableEnded && !failure) running.once('end', () => resolve(result));
      else resolve(result);
    });
    onCall?.(running);
    if (isWritable(running) && !running.writableEnded) {
      for (const request of requests) running.write(Buffer.from(request));
      running.end();
    }
  });
}

function isReadable(made: AnyCall): made is grpc.ClientReadableStream<Buffer> {
  return 'read' in made;
}

function isWritable(made: AnyCall): made is grpc.ClientWritableStream<Buffer> {
  return 'write' in made;
}

/** Comparable metadata; the date differs from call to call. */
function plain(metadata: grpc.Metadata): Record<string, unknown> {
  const entries = Object.keys(metadata.getMap()).map((key) => [key, metadata.get(key)] as const);
  return Object.fromEntries(entries.filter(([key]) => key !== 'date'));
}

export interface Balanced {
  readonly client: grpc.Client;
  readonly channel: BalancedChannel;
}

/** grpc-js's client over a channel of ours. It closes with the test. */
export function balanced(
  target: string,
  options: Partial<BalancedChannelOptions> = {},
  clientOptions: grpc.ClientOptions = {},
): Balanced {
  const credentials = options.credentials ?? grpc.credentials.createInsecure();
  // Watches would be streams among those of the calls.
  const loadBalancing = { health: { enabled: false }, ...options.loadBalancing };
  const channel = createBalancedChannel({ name: 'ECHO', target, credentials, ...options, loadBalancing });
  closeWithTest(() => channel.close());
  return { client: new grpc.Client('override', credentials, { ...clientOptions, channelOverride: channel }), channel };
}

/** grpc-js's client over its own channel. It closes with the test. */
export function stock(
  address: string,
  options: grpc.ClientOptions = {},
  credentials = grpc.credentials.createInsecure(),
): grpc.Client {
  const client = new grpc.Client(address, credentials, { 'grpc.use_local_subchannel_pool': 1, ...options });
  closeWithTest(() => client.close());
  return client;
}

/** Passes everything on, in a later turn of the event loop where it can. */
export const slowInterceptor: grpc.Interceptor = (options, next) =>
  new grpc.InterceptingCall(next(options), {
    start: (metadata, listener, start) => setImmediate(() => start(metadata, listener)),
    sendMessage: (request, send) => setImmediate(() => send(request)),
    halfClose: (end) => setImmediate(end),
  });

/** Waits until a client has a connection. */
export function connected(client: grpc.Client): Promise<void> {
  return new Promise((resolve, reject) =>
    client.waitForReady(Infinity, (error) => (error ? reject(error) : resolve())),
  );
}
