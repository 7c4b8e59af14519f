import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BalancedChannel } from '../../../libs/grpc-lb/src/grpc/index.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import {
  ECHO_INITIAL,
  ECHO_TRAILING,
  type InputRequest,
  type InputResponse,
  InteropServer,
  type OutputRequest,
  type OutputResponse,
  payloadOf,
  type SimpleRequest,
  type SimpleResponse,
  TestService,
  UnimplementedService,
} from './test-service.js';

expectNoLeaks();

type Unary<Req, Res> = (
  request: Partial<Req>,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  done: grpc.requestCallback<Res>,
) => grpc.ClientUnaryCall;
type Stub = grpc.Client & {
  EmptyCall: Unary<object, object>;
  UnaryCall: Unary<SimpleRequest, SimpleResponse>;
  UnimplementedCall: Unary<object, object>;
  StreamingOutputCall(request: Partial<OutputRequest>): grpc.ClientReadableStream<OutputResponse>;
  StreamingInputCall(done: grpc.requestCallback<InputResponse>): grpc.ClientWritableStream<InputRequest>;
  FullDuplexCall(
    metadata?: grpc.Metadata,
    options?: grpc.CallOptions,
  ): grpc.ClientDuplexStream<Partial<OutputRequest>, OutputResponse>;
};

let servers: InteropServer[];
let balanced: BalancedChannel;
let stub: Stub;
let unimplemented: Stub;

beforeAll(async () => {
  servers = await Promise.all([new InteropServer().start(), new InteropServer().start()]);
  const credentials = grpc.credentials.createInsecure();
  const target = `static:///${servers.map(({ address }) => address).join(',')}`;
  // Many of the cases end with a status that would eject.
  const loadBalancing = { policy: 'round_robin', ejection: { enabled: false } } as const;
  balanced = new BalancedChannel({ name: 'INTEROP', target, credentials, loadBalancing });
  const override = { channelOverride: balanced.channel };
  stub = new TestService('override', credentials, override) as unknown as Stub;
  unimplemented = new UnimplementedService('override', credentials, override) as unknown as Stub;
  balanced.connect();
});

afterAll(() => {
  balanced.close();
  for (const server of servers) server.stop();
});

interface Answer<T> {
  readonly response: T;
  readonly initial: grpc.Metadata;
  readonly trailer: grpc.Metadata;
}

/** A unary call with all that comes back. */
function unary<Req, Res>(
  method: Unary<Req, Res>,
  request: Partial<Req>,
  metadata = new grpc.Metadata(),
): Promise<Answer<Res>> {
  return new Promise((resolve, reject) => {
    let [initial, trailer] = [new grpc.Metadata(), new grpc.Metadata()];
    let response: Res;
    const call = method.call(stub, request, metadata, {}, (error, answer) => {
      if (error) reject(error);
      else response = answer!;
    });
    call.on('metadata', (given: grpc.Metadata) => (initial = given));
    call.on('status', (status) => {
      trailer = status.metadata;
      // The callback comes in the same turn, before or after.
      setImmediate(() => resolve({ response, initial, trailer }));
    });
  });
}

async function sizes(stream: AsyncIterable<OutputResponse>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { payload } of stream) seen.push(payload.body.length);
  return seen;
}

const parameters = (...wanted: number[]): Partial<OutputRequest> => ({
  response_parameters: wanted.map((size) => ({ size, interval_us: 0 })),
});
const errorOf = async (emitter: NodeJS.EventEmitter): Promise<grpc.ServiceError> =>
  (await once(emitter, 'error').catch((error: unknown) => [error]))[0] as grpc.ServiceError;
const failure = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);

// Each case twice: round_robin sends the second to the other server.
describe.each(['once', 'and on the other server'])('%s', () => {
  test('empty_unary', async () => {
    expect((await unary(stub.EmptyCall, {})).response).toEqual({});
  });

  test('large_unary', async () => {
    const { response } = await unary(stub.UnaryCall, { response_size: 314_159, payload: payloadOf(271_828) });
    expect(response.payload!.body).toHaveLength(314_159);
  });

  test('client_streaming', async () => {
    const response = await new Promise<InputResponse>((resolve, reject) => {
      const stream = stub.StreamingInputCall((error, answer) => (error ? reject(error) : resolve(answer!)));
      for (const size of [27_182, 8, 1828, 45_904]) stream.write({ payload: payloadOf(size) });
      stream.end();
    });
    expect(response.aggregated_payload_size).toBe(74_922);
  });

  test('server_streaming', async () => {
    const wanted = [31_415, 9, 2653, 58_979];
    expect(await sizes(stub.StreamingOutputCall(parameters(...wanted)))).toEqual(wanted);
  });

  test('ping_pong', async () => {
    const stream = stub.FullDuplexCall();
    const rounds = [
      [27_182, 31_415],
      [8, 9],
      [1828, 2653],
      [45_904, 58_979],
    ] as const;
    for (const [size, wanted] of rounds) {
      const answer = once(stream, 'data');
      stream.write({ ...parameters(wanted), payload: payloadOf(size) });
      const [{ payload }] = (await answer) as [OutputResponse];
      expect(payload.body).toHaveLength(wanted);
    }
    stream.end();
    const [{ code }] = (await once(stream, 'status')) as [grpc.StatusObject];
    expect(code).toBe(grpc.status.OK);
  });

  test('empty_stream', async () => {
    const stream = stub.FullDuplexCall();
    stream.end();
    expect(await sizes(stream)).toEqual([]);
  });

  test('custom_metadata', async () => {
    const metadata = new grpc.Metadata();
    metadata.set(ECHO_INITIAL, 'test_initial_metadata_value');
    metadata.set(ECHO_TRAILING, Buffer.from('ababab', 'hex'));
    const { initial, trailer } = await unary(stub.UnaryCall, { response_size: 1 }, metadata);
    expect(initial.get(ECHO_INITIAL)).toEqual(['test_initial_metadata_value']);
    expect(trailer.get(ECHO_TRAILING)).toEqual([Buffer.from('ababab', 'hex')]);
  });

  test('status_code_and_message', async () => {
    const response_status = { code: grpc.status.UNKNOWN, message: 'test status message' };
    const expected = { code: grpc.status.UNKNOWN, details: 'test status message' };
    expect(await failure(unary(stub.UnaryCall, { response_status }))).toMatchObject(expected);
    const stream = stub.FullDuplexCall();
    stream.on('data', () => {}).write({ response_status });
    stream.end();
    expect(await errorOf(stream)).toMatchObject(expected);
  });

  test('special_status_message', async () => {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
    const call = unary(stub.UnaryCall, { response_status: { code: grpc.status.UNKNOWN, message } });
    expect(await failure(call)).toMatchObject({ code: grpc.status.UNKNOWN, details: message });
  });

  test('unimplemented_method', async () => {
    expect(await failure(unary(stub.UnimplementedCall, {}))).toMatchObject({ code: grpc.status.UNIMPLEMENTED });
  });

  test('unimplemented_service', async () => {
    expect(await failure(unary(unimplemented.UnimplementedCall, {}))).toMatchObject({
      code: grpc.status.UNIMPLEMENTED,
    });
  });

  test('cancel_after_begin', async () => {
    const error = await new Promise((resolve) => {
      const stream = stub.StreamingInputCall(resolve);
      // Wait until it is sent: a call that is cancelled in the turn of its start never reaches the server.
      setImmediate(() => stream.cancel());
    });
    expect(error).toMatchObject({ code: grpc.status.CANCELLED });
  });

  test('cancel_after_first_response', async () => {
    const stream = stub.FullDuplexCall();
    stream.write({ ...parameters(31_415), payload: payloadOf(27_182) });
    await once(stream, 'data');
    const error = errorOf(stream);
    stream.cancel();
    expect(await error).toMatchObject({ code: grpc.status.CANCELLED });
  });

  test('timeout_on_sleeping_server', async () => {
    const stream = stub.FullDuplexCall(new grpc.Metadata(), { deadline: Date.now() + 1 });
    stream.on('data', () => {});
    stream.write({ payload: payloadOf(27_182) });
    expect(await errorOf(stream)).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
  });
});

test('both servers have served, and nothing is left in flight', async () => {
  expect(servers.every(({ calls }) => calls >= 8)).toBe(true);
  // A call that was cancelled between its pick and its start counts until its reservation lapses.
  await expect.poll(() => balanced.snapshot().inFlight, { timeout: 3000 }).toBe(0);
});
