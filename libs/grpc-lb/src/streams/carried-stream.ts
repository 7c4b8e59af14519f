import { type Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import type { Duplex, Readable } from 'node:stream';
import type { ResumableCall } from '../nest/streams/resumable-call.js';
import type { Sink } from '../nest/streams/sink.js';
import { serviceError } from '../nest/stub/service-error.js';

/** How the side of a Node stream that is read is fed by a resumable call, as in the streams of grpc-js's clients. */
export class ReadSide implements Sink {
  #call: ResumableCall | undefined;
  /** The error with which it ends, once all messages before it have been read. */
  #failure: Error | undefined;

  constructor(private readonly stream: Readable | Duplex) {}

  /** What a call tells it beside its messages. */
  readonly listeners = {
    onMetadata: (metadata: Metadata): void => void this.stream.emit('metadata', metadata),
    onStatus: (status: StatusObject): void => void this.stream.emit('status', status),
  };

  start(call: ResumableCall): void {
    this.#call = call;
    call.start();
  }

  get wantsMore(): boolean {
    const { stream } = this;
    return !stream.destroyed && stream.readableLength < stream.readableHighWaterMark;
  }

  take(message: unknown): void {
    if (!this.stream.destroyed) this.stream.push(message);
  }

  fail(error: unknown): void {
    this.#failure = error as Error;
    this.failIfRead();
  }

  complete(): void {
    this.stream.push(null);
  }

  pump(): void {
    this.#call?.pump();
  }

  /** Called when there may be nothing left to read. */
  failIfRead(): void {
    if (this.#failure && this.stream.readableLength === 0) this.stream.destroy(this.#failure);
  }

  cancel(): void {
    this.#call?.giveUp(serviceError({ code: Status.CANCELLED, details: 'Cancelled on client' }));
  }

  leave(): void {
    this.#call?.unsubscribe();
  }

  getPeer(): string {
    return this.#call?.peer ?? 'unknown';
  }
}
