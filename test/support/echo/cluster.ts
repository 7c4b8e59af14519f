import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export interface Line {
  text: string;
  server: string;
  times: number;
}

export const ECHO_PROTO = fileURLToPath(new URL('echo.proto', import.meta.url));

const loaded = grpc.loadPackageDefinition(loadSync(ECHO_PROTO, { defaults: true })) as unknown as {
  echo: { v1: { Echo: grpc.ServiceClientConstructor; Mirror: grpc.ServiceClientConstructor } };
};
export const { Echo, Mirror } = loaded.echo.v1;

export function staticTarget(servers: readonly { readonly address: string }[]): string {
  return `static:///${servers.map((server) => server.address).join(',')}`;
}

/** A promise and the keys to it. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((accept, refuse) => ([resolve, reject] = [accept, refuse]));
  return { promise, resolve, reject };
}
