import { Duplex } from 'node:stream';
import { ReadSide } from './carried-stream.js';
import { Handoff } from './handoff.js';

/** A bidirectional stream in the form of grpc-js: `ClientDuplexStream`. */
export class ResumingDuplex extends Duplex {
  readonly side = new ReadSide(this);
  /** What is written, no faster than the call takes it. */
  readonly requests = new Handoff();

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

  override _write(request: unknown, _encoding: string, callback: () => void): void {
    this.requests.give(request, callback);
  }

  override _final(callback: () => void): void {
    this.requests.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.side.leave();
    callback(error);
  }
}
