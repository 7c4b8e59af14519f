import { type Metadata as GrpcMetadata, Metadata, type ServiceError, status as Status } from '@grpc/grpc-js';
import { concat, EMPTY, firstValueFrom, NEVER, type Observable, of, Subject } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Certificate } from '../../support/peers/certificates.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { Mailbox } from '../../support/run/mailbox.js';
import { answerOf, type Frames, TestClient, watchFrames } from './test-client.js';
import { certificateOfPeers, type Peer, PEERS, type RunningPeer } from './test-peers.js';
import { ECHO_INITIAL, ECHO_TRAILING, type InputResponse, type OutputRequest, payloadOf } from './test-service.js';

/*
 * The test cases of grpc/grpc, doc/interop-test-descriptions.md, through the client of a Nest application, under their
 * names. Not here: cases for Google's cloud (credentials) and for a caching proxy (cacheable_unary, which wants GET).
 */

expectNoLeaks();

/** The flag of grpc-js for a message that is not compressed, where an interface wants the encoding of a string. */
const NO_COMPRESS = 2 as unknown as BufferEncoding;

const COMBINATIONS = [false, true].flatMap((tls) =>
  [false, true].flatMap((gzip) => [false, true].map((retries) => ({ tls, gzip, retries }))),
);

let certificate: Certificate | undefined;
let running: RunningPeer | undefined;
let client: TestClient;
let frames: Frames;

beforeAll(() => {
  certificate = certificateOfPeers();
});

afterEach(() => {
  vi.restoreAllMocks();
});

const parameters = (...wanted: number[]): Partial<OutputRequest> => ({
  response_parameters: wanted.map((size) => ({ size, interval_us: 0 })),
});

async function sizes(call: Observable<{ payload: { body: Buffer } }>): Promise<number[]> {
  const { responses } = await answerOf(() => call);
  return responses.map(({ payload }) => payload.body.length);
}

function failureOf(call: Observable<unknown>): Promise<ServiceError> {
  return new Promise((resolve, reject) => {
    call.subscribe({ error: resolve, complete: () => reject(new Error('the call succeeded')) });
  });
}

/** A client that runs for one group of tests, and the peer that they need. */
function withClient(peer: Peer, { tls, gzip, retries }: { tls: boolean; gzip: boolean; retries: boolean }): void {
  beforeAll(async () => {
    running = await peer.start({ certificate: tls ? certificate : undefined });
    client = await TestClient.start(running.addresses, { gzip, retries, root: tls ? certificate!.cert : undefined });
  });
  afterAll(async () => {
    await client.close();
    await running!.stop();
  });
}

const largeRequest = { response_size: 314_159, payload: payloadOf(271_828) };

async function largeUnary(more: object = {}): Promise<void> {
  const { payload } = await firstValueFrom(client.stub.unaryCall({ ...largeRequest, ...more }));
  expect(payload!.body).toHaveLength(largeRequest.response_size);
}

/** grpc-js's own client, as a stub cannot choose the encoding of one message. */
async function inputStream(
  ...messages: readonly { readonly size: number; readonly expected: boolean; readonly compressed: boolean }[]
): Promise<InputResponse> {
  return new Promise((resolve, reject) => {
    const stream = client.grpcJs.StreamingInputCall((error, response) => (error ? reject(error) : resolve(response!)));
    for (const { size, expected, compressed } of messages) {
      const message = { payload: payloadOf(size), expect_compressed: { value: expected } };
      if (compressed) stream.write(message);
      else stream.write(message, NO_COMPRESS);
    }
    stream.end();
  });
}

describe.each(PEERS)('$name', (peer) => {
  describe.skipIf(!peer.available).each(COMBINATIONS.filter(({ gzip }) => peer.gzip || !gzip))(
    'TLS $tls, gzip $gzip, retries $retries',
    (combination) => {
      const { gzip } = combination;
      withClient(peer, combination);

      test('empty_unary', async () => {
        expect(await firstValueFrom(client.stub.emptyCall({}))).toEqual({});
      });

      test('large_unary', async () => {
        frames = watchFrames();
        await largeUnary();
        expect(frames.sent).toEqual([gzip]);
      });

      test('client_streaming', async () => {
        const requests = [27_182, 8, 1828, 45_904].map((size) => ({ payload: payloadOf(size) }));
        const { aggregated_payload_size: size } = await firstValueFrom(client.stub.streamingInputCall(of(...requests)));
        expect(size).toBe(74_922);
      });

      test('server_streaming', async () => {
        const wanted = [31_415, 9, 2653, 58_979];
        expect(await sizes(client.stub.streamingOutputCall(parameters(...wanted)))).toEqual(wanted);
      });

      test('ping_pong', async () => {
        const rounds = [
          [27_182, 31_415],
          [8, 9],
          [1828, 2653],
          [45_904, 58_979],
        ] as const;
        const requests = new Subject<Partial<OutputRequest>>();
        const answers = new Mailbox<number>();
        const ended = new Promise<void>((complete, error) => {
          const next = ({ payload }: { payload: { body: Buffer } }): void => answers.put(payload.body.length);
          client.stub.fullDuplexCall(requests).subscribe({ next, complete, error });
        });
        for (const [size, wanted] of rounds) {
          requests.next({ ...parameters(wanted), payload: payloadOf(size) });
          expect(await answers.next()).toBe(wanted);
        }
        requests.complete();
        await ended;
        expect(answers.empty).toBe(true);
      });

      test('empty_stream', async () => {
        expect(await sizes(client.stub.fullDuplexCall(EMPTY))).toEqual([]);
      });

      describe('custom_metadata', () => {
        const binary = Buffer.from('ababab', 'hex');
        const sent = (): GrpcMetadata => {
          const metadata = new Metadata();
          metadata.set(ECHO_INITIAL, 'test_initial_metadata_value');
          metadata.set(ECHO_TRAILING, binary);
          return metadata;
        };
        const request = { ...parameters(314_159), payload: payloadOf(271_828) };

        test.each([
          ['UnaryCall', (options: object) => client.stub.unaryCall(largeRequest, sent(), options)],
          ['FullDuplexCall', (options: object) => client.stub.fullDuplexCall(of(request), sent(), options)],
        ] as const)('%s', async (_, call) => {
          const { initial, trailer } = await answerOf<unknown>(call);
          expect(initial.get(ECHO_INITIAL)).toEqual(['test_initial_metadata_value']);
          expect(trailer.get(ECHO_TRAILING)).toEqual([binary]);
        });
      });

      test('status_code_and_message', async () => {
        const response_status = { code: Status.UNKNOWN, message: 'test status message' };
        const expected = { code: Status.UNKNOWN, details: 'test status message' };
        expect(await failureOf(client.stub.unaryCall({ response_status }))).toMatchObject(expected);
        expect(await failureOf(client.stub.fullDuplexCall(of({ response_status })))).toMatchObject(expected);
      });

      test('special_status_message', async () => {
        const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
        const response_status = { code: Status.UNKNOWN, message };
        const expected = { code: Status.UNKNOWN, details: message };
        expect(await failureOf(client.stub.unaryCall({ response_status }))).toMatchObject(expected);
      });

      test('unimplemented_method', async () => {
        const expected = { code: Status.UNIMPLEMENTED };
        expect(await failureOf(client.stub.unimplementedCall({}))).toMatchObject(expected);
      });

      test('unimplemented_service', async () => {
        const expected = { code: Status.UNIMPLEMENTED };
        expect(await failureOf(client.unimplemented.unimplementedCall({}))).toMatchObject(expected);
      });

      test('cancel_after_begin', async () => {
        const cancel = new AbortController();
        const failure = failureOf(client.stub.streamingInputCall(NEVER, { signal: cancel.signal }));
        await expect.poll(() => client.snapshot.inFlight).toBe(1);
        cancel.abort();
        expect(await failure).toMatchObject({ code: Status.CANCELLED });
      });

      test('cancel_after_first_response', async () => {
        const cancel = new AbortController();
        const request = { ...parameters(31_415), payload: payloadOf(27_182) };
        const call = client.stub.fullDuplexCall(concat(of(request), NEVER), { signal: cancel.signal });
        const failure = new Promise<ServiceError>((resolve) => {
          call.subscribe({ next: () => cancel.abort(), error: resolve });
        });
        expect(await failure).toMatchObject({ code: Status.CANCELLED });
      });

      test('timeout_on_sleeping_server', async () => {
        const requests = concat(of({ payload: payloadOf(27_182) }), NEVER);
        const call = client.stub.fullDuplexCall(requests, { timeout: 1 });
        expect(await failureOf(call)).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
      });

      test('rpc_soak, five calls one after the other', async () => {
        for (let i = 0; i < 5; i++) await largeUnary();
      });

      test('concurrent_large_unary, eight calls', async () => {
        await Promise.all(Array.from({ length: 8 }, () => largeUnary()));
      });

      // An uncompressed request, which should be compressed, shows that the server checks.
      const notAsExpected = { code: Status.INVALID_ARGUMENT };

      test.runIf(peer.checksRequests)('client_compressed_unary', async () => {
        // One unary call cannot choose: the client compresses all requests or none.
        await largeUnary({ expect_compressed: { value: gzip } });
        const call = client.stub.unaryCall({ ...largeRequest, expect_compressed: { value: !gzip } });
        expect(await failureOf(call)).toMatchObject(notAsExpected);
      });

      test.runIf(peer.checksRequests && gzip)('client_compressed_streaming', async () => {
        const probe = { size: 27_182, expected: true, compressed: false };
        await expect(inputStream(probe)).rejects.toMatchObject(notAsExpected);
        frames = watchFrames();
        const { aggregated_payload_size: size } = await inputStream(
          { size: 27_182, expected: true, compressed: true },
          { size: 45_904, expected: false, compressed: false },
        );
        expect(size).toBe(73_086);
        expect(frames.sent).toEqual([true, false]);
      });

      test.runIf(peer.compressesResponses)('server_compressed_unary', async () => {
        frames = watchFrames();
        await largeUnary({ response_compressed: { value: true } });
        await largeUnary({ response_compressed: { value: false } });
        expect(frames.received).toEqual([true, false]);
      });

      test.runIf(peer.compressesResponses)('server_compressed_streaming', async () => {
        frames = watchFrames();
        const second = peer.compressesResponses === 'by call';
        const wanted = [
          { size: 31_415, interval_us: 0, compressed: { value: true } },
          { size: 92_653, interval_us: 0, compressed: { value: second } },
        ];
        expect(await sizes(client.stub.streamingOutputCall({ response_parameters: wanted }))).toEqual([31_415, 92_653]);
        expect(frames.received).toEqual([true, second]);
      });

      test('all endpoints have served, and nothing is left in flight', async () => {
        await expect.poll(() => client.snapshot.inFlight).toBe(0);
        expect(client.snapshot.endpoints).toHaveLength(running!.addresses.length);
        for (const { started } of client.snapshot.endpoints) expect(started).toBeGreaterThan(10);
      });
    },
  );
});

describe.each(PEERS.filter(({ available, gzip }) => available && !gzip))('gzip to $name', (peer) => {
  withClient(peer, { tls: false, gzip: true, retries: true });

  test('a server without it refuses the call, with the reason', async () => {
    expect(await failureOf(client.stub.unaryCall(largeRequest))).toMatchObject({
      code: Status.UNIMPLEMENTED,
      details: expect.stringContaining('gzip'),
    });
  });
});

describe('max_concurrent_streams_connection_scaling', () => {
  const LIMIT = 3;

  /** A stream that has had an answer, so that it is open on the server. */
  async function openStream(): Promise<{ end(): Promise<void> }> {
    const requests = new Subject<Partial<OutputRequest>>();
    const answers = new Mailbox<unknown>();
    const ended = new Promise<void>((complete, error) => {
      client.stub.fullDuplexCall(requests).subscribe({ next: (answer) => answers.put(answer), complete, error });
    });
    requests.next(parameters(1));
    await answers.next();
    return { end: () => (requests.complete(), ended) };
  }

  describe.each(PEERS.filter(({ available, gzip }) => available && gzip))('$name', (peer) => {
    beforeAll(async () => {
      const { addresses, stop } = await peer.start({ maxStreams: LIMIT });
      // One endpoint, so that all streams share its limit.
      running = { addresses: addresses.slice(0, 1), stop };
    });
    afterEach(() => client.close());
    afterAll(() => running!.stop());

    const connections = (): number => client.snapshot.endpoints[0]!.connections.length;
    const choice = { gzip: false, retries: true, root: undefined };

    test('a stream beyond the limit gets another connection', async () => {
      client = await TestClient.start(running!.addresses, { ...choice, pool: { maxSize: 2 } });
      const streams = [await openStream(), await openStream(), await openStream(), await openStream()];
      expect(connections()).toBe(2);
      for (const stream of streams) await stream.end();
    });

    test('and without another one it waits for the end of a stream', async () => {
      client = await TestClient.start(running!.addresses, { ...choice, pool: { maxSize: 1 } });
      const [first, ...others] = [await openStream(), await openStream(), await openStream()];
      const waiting = openStream();
      await expect.poll(() => client.snapshot.pending).toBe(1);
      await first!.end();
      for (const stream of [...others, await waiting]) await stream.end();
      expect(connections()).toBe(1);
    });
  });
});
