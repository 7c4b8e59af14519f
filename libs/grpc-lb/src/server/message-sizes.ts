import { Duplex } from 'node:stream';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';

/**
 * The size of the response that a server has serialized last. grpc-js shows messages to interceptors, not their sizes,
 * but serializes a message in the turn in which it is sent.
 */
export class ResponseSizes {
  last = 0;

  /** The same serializer, which also tells the size. */
  sized<T>(serialize: (message: T) => Buffer): (message: T) => Buffer {
    return (message) => {
      const bytes = serialize(message);
      this.last = bytes.byteLength;
      return bytes;
    };
  }
}

/** The length of the header of a message: whether it is compressed, and four bytes of its size. */
const HEADER = 5;

/** Counts the bytes of messages in a stream of frames, without their headers. */
export class FrameCounter {
  /** Bytes so far. */
  bytes = 0;
  #header = 0;
  #length = 0;
  #left = 0;

  add(chunk: Uint8Array): void {
    let i = 0;
    while (i < chunk.length) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, chunk.length - i);
        this.bytes += part;
        this.#left -= part;
        i += part;
        continue;
      }
      if (this.#header > 0) this.#length = this.#length * 256 + chunk[i]!;
      i++;
      if (++this.#header < HEADER) continue;
      this.#left = this.#length;
      this.#header = this.#length = 0;
    }
  }
}

/**
 * Counts the bytes of the requests of a call as they arrive, compressed or not. The stream is a private field of grpc-js,
 * read defensively: if it is not as expected, the size is 0.
 */
export function countRequests(call: ServerInterceptingCallInterface, counter: FrameCounter): void {
  const { stream } = call as unknown as { readonly stream?: unknown };
  // grpc-js reads the stream; a second listener neither starts nor stops it.
  if (stream instanceof Duplex) stream.on('data', (chunk: Uint8Array) => counter.add(chunk));
}
