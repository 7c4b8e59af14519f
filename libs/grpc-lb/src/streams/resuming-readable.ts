import { Readable } from 'node:stream';
import { ReadSide } from './carried-stream.js';

/** A stream of responses in the form of grpc-js: `ClientReadableStream`. */
export class ResumingReadable extends Readable {
  readonly side = new ReadSide(this);

  constructor() {
    super({ objectMode: true });
  }

  /** Ends the stream with CANCELLED. */
  cancel(): void {
    this.side.cancel();
  }

  /** The server that carries it now. */
  getPeer(): string {
    return this.side.getPeer();
  }

  override read(size?: number): unknown {
    const message: unknown = super.read(size);
    if (message === null) this.side.failIfRead();
    return message;
  }

  override _read(): void {
    this.side.pump();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.side.leave();
    callback(error);
  }
}
