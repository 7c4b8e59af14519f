import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Where Debian's `grpc-proto` puts the protos of gRPC's own interoperability tests. */
export const PROTOS = '/usr/share/grpc-proto';

const loaded = grpc.loadPackageDefinition(
  loadSync('grpc/testing/test.proto', { includeDirs: [PROTOS], defaults: true, keepCase: true }),
) as unknown as {
  grpc: { testing: { TestService: grpc.ServiceClientConstructor } };
};
export const { TestService } = loaded.grpc.testing;

export interface Payload {
  body: Buffer;
}
export interface EchoStatus {
  code: number;
  message: string;
}
/** A Boolean that may be absent. */
export interface BoolValue {
  value: boolean;
}
export interface SimpleRequest {
  response_size: number;
  response_compressed: BoolValue | null;
  expect_compressed: BoolValue | null;
  payload: Payload | null;
  response_status: EchoStatus | null;
}
export interface SimpleResponse {
  payload: Payload | null;
}
export interface OutputRequest {
  response_parameters: { size: number; interval_us: number; compressed?: BoolValue | null }[];
  payload: Payload | null;
  response_status: EchoStatus | null;
}
export interface OutputResponse {
  payload: Payload;
}
export interface InputRequest {
  payload: Payload;
  expect_compressed: BoolValue | null;
}
export interface InputResponse {
  aggregated_payload_size: number;
}

export const ECHO_INITIAL = 'x-grpc-test-echo-initial';
export const ECHO_TRAILING = 'x-grpc-test-echo-trailing-bin';

export const payloadOf = (size: number): Payload => ({ body: Buffer.alloc(size) });

/** The server of gRPC's interoperability tests (grpc/grpc, doc/interop-test-descriptions.md). */
export class InteropServer {
  port = 0;
  readonly #server: grpc.Server;

  constructor(options: grpc.ServerOptions = {}) {
    this.#server = new grpc.Server(options);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(credentials: grpc.ServerCredentials): Promise<this> {
    this.#server.addService(TestService.service, {
      EmptyCall: (call: grpc.ServerUnaryCall<object, object>, done: grpc.sendUnaryData<object>) => {
        this.#begin(call);
        done(null, {});
      },
      UnaryCall: (
        call: grpc.ServerUnaryCall<SimpleRequest, SimpleResponse>,
        done: grpc.sendUnaryData<SimpleResponse>,
      ) => {
        const trailer = this.#begin(call);
        const { response_status: ending, response_size: size } = call.request;
        if (ending) done({ code: ending.code, details: ending.message, metadata: trailer });
        else done(null, { payload: payloadOf(size) }, trailer);
      },
      StreamingOutputCall: (call: grpc.ServerWritableStream<OutputRequest, OutputResponse>) => {
        const trailer = this.#begin(call);
        answer(call, call.request);
        call.end(trailer);
      },
      StreamingInputCall: (
        call: grpc.ServerReadableStream<InputRequest, InputResponse>,
        done: grpc.sendUnaryData<InputResponse>,
      ) => {
        this.#begin(call);
        let size = 0;
        call.on('data', ({ payload }: InputRequest) => (size += payload.body.length));
        call.on('end', () => done(null, { aggregated_payload_size: size }));
      },
      FullDuplexCall: (call: grpc.ServerDuplexStream<OutputRequest, OutputResponse>) => {
        const trailer = this.#begin(call);
        call.on('data', (request: OutputRequest) => {
          const { response_status: ending } = request;
          if (ending) call.emit('error', { code: ending.code, details: ending.message, metadata: trailer });
          else answer(call, request);
        });
        call.on('end', () => call.end(trailer));
      },
    });
    this.port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
    return this;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  /** Sends the metadata that is asked for; returns the trailer. */
  #begin(call: { metadata: grpc.Metadata; sendMetadata(metadata: grpc.Metadata): void }): grpc.Metadata {
    const [initial, trailer] = [new grpc.Metadata(), new grpc.Metadata()];
    for (const value of call.metadata.get(ECHO_INITIAL)) initial.add(ECHO_INITIAL, value);
    for (const value of call.metadata.get(ECHO_TRAILING)) trailer.add(ECHO_TRAILING, value);
    if (call.metadata.get(ECHO_INITIAL).length > 0) call.sendMetadata(initial);
    return trailer;
  }
}

function answer(call: { write(response: OutputResponse): unknown }, { response_parameters }: OutputRequest): void {
  for (const { size } of response_parameters) call.write({ payload: payloadOf(size) });
}
