import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export interface Line {
  text: string;
  server: string;
  times: number;
}

// From dist/chaos/chaos, where this runs.
const proto = fileURLToPath(new URL('../../../test/support/echo/echo.proto', import.meta.url));
const loaded = grpc.loadPackageDefinition(loadSync(proto, { defaults: true })) as unknown as {
  echo: { v1: { Echo: grpc.ServiceClientConstructor } };
};

export const { Echo } = loaded.echo.v1;
export const SAY = { service: 'echo.v1.Echo', method: 'Say', responseStream: false };
/** In each call's metadata, so that its attempts are known on the wire. */
export const CALL_KEY = 'chaos-call';

export type EchoStub = grpc.Client & {
  Say(
    line: Partial<Line>,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: grpc.requestCallback<Line>,
  ): grpc.ClientUnaryCall;
  Repeat(line: Partial<Line>, metadata: grpc.Metadata): grpc.ClientReadableStream<Line>;
};
