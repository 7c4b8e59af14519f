import type { OutgoingHttpHeaders } from 'node:http2';
import type { Metadata } from '@grpc/grpc-js';
import type { StreamStatus } from './wire-status.js';

/** An attempt, as it learns of its stream. */
export interface StreamOwner {
  onReceiveMetadata(metadata: Metadata): void;
  onReceiveMessage(frame: Buffer): void;
  onReceiveStatus(status: StreamStatus): void;
}

/**
 * All that grpc-js gets of an attempt: its headers, in the place of a Metadata of which grpc-js only asks
 * `toHttp2Headers()`, and the listener of its stream. Node keeps a closed stream until the next full garbage collection,
 * and with it all that the stream can reach, so the listener forgets the attempt when it has ended: otherwise the call,
 * its messages and what its caller holds would be copied by two collections before they can go (decision 069).
 */
export class StreamListener {
  /** Whether grpc-js has asked for the headers. */
  asked = false;
  #owner: StreamOwner | undefined;
  #headers: OutgoingHttpHeaders | undefined;

  constructor(owner: StreamOwner, headers: OutgoingHttpHeaders) {
    this.#owner = owner;
    this.#headers = headers;
  }

  toHttp2Headers(): OutgoingHttpHeaders {
    this.asked = true;
    return this.#headers!;
  }

  /** Called when the attempt has ended: it is told nothing more. */
  forget(): void {
    this.#owner = undefined;
    this.#headers = undefined;
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#owner?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(frame: Buffer): void {
    this.#owner?.onReceiveMessage(frame);
  }

  onReceiveStatus(status: StreamStatus): void {
    this.#owner?.onReceiveStatus(status);
  }
}
