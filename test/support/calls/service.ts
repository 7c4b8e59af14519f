import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export interface Line {
  text: string;
  server: string;
  times: number;
}

/** Found from `dist/chaos` too, where the command runs. */
const root = new URL(import.meta.url.includes('/dist/chaos/') ? '../../../../../' : '../../../', import.meta.url);
export const ECHO_PROTO = fileURLToPath(new URL('test/support/echo/echo.proto', root));

const loaded = grpc.loadPackageDefinition(loadSync(ECHO_PROTO, { defaults: true })) as unknown as {
  echo: { v1: { Echo: grpc.ServiceClientConstructor } };
};

export const { Echo } = loaded.echo.v1;

type Request = Partial<Line>;

/** The stub of grpc-js. */
export type BareStub = grpc.Client & {
  Say(
    line: Request,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: grpc.requestCallback<Line>,
  ): grpc.ClientUnaryCall;
  Repeat(line: Request, metadata: grpc.Metadata, options: grpc.CallOptions): grpc.ClientReadableStream<Line>;
  Join(
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: grpc.requestCallback<Line>,
  ): grpc.ClientWritableStream<Request>;
  Talk(metadata: grpc.Metadata, options: grpc.CallOptions): grpc.ClientDuplexStream<Request, Line>;
};
