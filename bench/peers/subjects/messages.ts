import {
  type GrpcObject,
  loadPackageDefinition,
  type MethodDefinition,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

interface Line {
  readonly text: string;
  readonly times?: number;
}

type EchoMethod = MethodDefinition<Line, Line>;

/** How messages are encoded, for subjects without a client that does it. */
export function echoMethods(proto: string): { readonly say: EchoMethod; readonly repeat: EchoMethod } {
  const { echo } = loadPackageDefinition(loadSync(proto)) as { echo: { v1: GrpcObject } };
  const { service } = echo.v1['Echo'] as ServiceClientConstructor;
  return { say: service['Say'] as EchoMethod, repeat: service['Repeat'] as EchoMethod };
}

/** A message as a gRPC frame. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** The messages in the chunks of one stream. */
export class FrameReader {
  #rest: Buffer | undefined;

  /** Calls back with each message that is complete. */
  read(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    let data = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    while (data.length >= 5) {
      const end = 5 + data.readUInt32BE(1);
      if (data.length < end) break;
      onMessage(data.subarray(5, end));
      data = data.subarray(end);
    }
    this.#rest = data.length > 0 ? data : undefined;
  }
}
