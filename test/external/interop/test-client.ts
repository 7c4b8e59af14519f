import * as grpc from '@grpc/grpc-js';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  type ClientSnapshot,
  type GrpcLbCallOptions,
  type GrpcLbClientOptions,
  GrpcLbModule,
  GrpcLbRegistry,
  type ServiceClient,
} from 'nestjs-grpc-lb';
import { lastValueFrom, type Observable, toArray } from 'rxjs';
import { vi } from 'vitest';
import type { ClientGrpc } from '@nestjs/microservices';
import { WireAttempt } from '../../../libs/grpc-lb/src/grpc/call/wire-attempt.js';
import {
  type InputRequest,
  type InputResponse,
  type OutputRequest,
  type OutputResponse,
  PROTOS,
  type SimpleRequest,
  type SimpleResponse,
} from './test-service.js';

/** `grpc.testing.TestService` as a Nest application declares it. */
interface TestServiceApi {
  emptyCall(request: object): Observable<object>;
  unaryCall(request: Partial<SimpleRequest>): Observable<SimpleResponse>;
  streamingOutputCall(request: Partial<OutputRequest>): Observable<OutputResponse>;
  streamingInputCall(requests: Observable<Partial<InputRequest>>): Observable<InputResponse>;
  fullDuplexCall(requests: Observable<Partial<OutputRequest>>): Observable<OutputResponse>;
  unimplementedCall(request: object): Observable<object>;
}

interface UnimplementedServiceApi {
  unimplementedCall(request: object): Observable<object>;
}

/** The client that grpc-js generates, for what an Observable cannot say. */
export interface GrpcJsClient extends grpc.Client {
  StreamingInputCall(done: grpc.requestCallback<InputResponse>): grpc.ClientWritableStream<Partial<InputRequest>>;
}

export interface ClientChoice {
  readonly gzip: boolean;
  readonly retries: boolean;
  readonly root: Buffer | undefined;
  readonly pool?: NonNullable<GrpcLbClientOptions['loadBalancing']>['pool'];
}

const NAME = 'INTEROP';

/** A balanced client of a Nest application. */
export class TestClient {
  readonly stub: ServiceClient<TestServiceApi>;
  readonly unimplemented: ServiceClient<UnimplementedServiceApi>;
  readonly grpcJs: GrpcJsClient;

  private constructor(private readonly app: TestingModule) {
    const client = app.get<ClientGrpc>(NAME);
    this.stub = client.getService('TestService');
    this.unimplemented = client.getService('UnimplementedService');
    this.grpcJs = client.getClientByServiceName('TestService');
  }

  static async start(addresses: readonly string[], choice: ClientChoice): Promise<TestClient> {
    const { gzip, retries, root, pool = {} } = choice;
    const options: GrpcLbClientOptions = {
      url: addresses,
      package: 'grpc.testing',
      protoPath: 'grpc/testing/test.proto',
      loader: { includeDirs: [PROTOS], defaults: true, keepCase: true },
      ...(root && { credentials: grpc.credentials.createSsl(root) }),
      ...(gzip && {
        channelOptions: { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip },
      }),
      loadBalancing: {
        policy: 'round_robin',
        // Many of the cases end with a status that would eject.
        ejection: { enabled: false },
        pool,
        ...(retries && { retry: {} }),
      },
    };
    const imports = [GrpcLbModule.forRoot({ logging: false }), GrpcLbModule.forFeature([{ name: NAME, options }])];
    const app = await Test.createTestingModule({ imports }).compile();
    return new TestClient(await app.init());
  }

  get snapshot(): ClientSnapshot {
    return this.app.get(GrpcLbRegistry).snapshot(NAME);
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

export interface Answer<T> {
  readonly responses: readonly T[];
  readonly initial: grpc.Metadata;
  readonly trailer: grpc.Metadata;
}

/** Everything that a call returns. */
export async function answerOf<T>(
  call: (options: Pick<GrpcLbCallOptions, 'onMetadata' | 'onStatus'>) => Observable<T>,
): Promise<Answer<T>> {
  let [initial, trailer] = [new grpc.Metadata(), new grpc.Metadata()];
  const responses = await lastValueFrom(
    call({
      onMetadata: (metadata) => (initial = metadata),
      onStatus: ({ metadata }) => (trailer = metadata),
    }).pipe(toArray()),
  );
  return { responses, initial, trailer };
}

/** The messages on the wire, in both directions: whether each is compressed. */
export interface Frames {
  readonly sent: boolean[];
  readonly received: boolean[];
}

export function watchFrames(): Frames {
  const frames: Frames = { sent: [], received: [] };
  const { send, onReceiveMessage } = WireAttempt.prototype;
  vi.spyOn(WireAttempt.prototype, 'send').mockImplementation(function (this: WireAttempt, frame, sent) {
    frames.sent.push(frame[0] === 1);
    send.call(this, frame, sent);
  });
  vi.spyOn(WireAttempt.prototype, 'onReceiveMessage').mockImplementation(function (this: WireAttempt, frame) {
    frames.received.push(frame[0] === 1);
    onReceiveMessage.call(this, frame);
  });
  return frames;
}
