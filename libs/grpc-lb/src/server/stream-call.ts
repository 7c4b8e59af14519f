import http2 from 'node:http2';
import { Duplex } from 'node:stream';
import { type Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

/** A streaming call whose handler can be canceled before the client knows of it. */
export class StreamCall extends ServerInterceptingCall {
  #handler: Listener | undefined;

  override start(listener: Listener): void {
    this.#handler = new CanceledOnce(listener);
    super.start(this.#handler);
  }

  /**
   * Cancels the handler, as if the caller had: its Observable is unsubscribed, and its call emits `cancelled`. grpc-js
   * does so when the trailers are out, which a client that does not read can delay without bound.
   */
  cancelHandler(): void {
    const handler = this.#handler;
    // As in grpc-js: what a handler throws then goes nowhere else.
    process.nextTick(() => handler?.onCancel());
  }
}

/** Passes everything on up to the cancellation. */
class CanceledOnce implements Listener {
  #canceled = false;

  constructor(private readonly listener: Listener) {}

  onReceiveMetadata(metadata: Metadata): void {
    if (!this.#canceled) this.listener.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: unknown): void {
    if (!this.#canceled) this.listener.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    if (!this.#canceled) this.listener.onReceiveHalfClose();
  }

  onCancel(): void {
    if (this.#canceled) return;
    this.#canceled = true;
    this.listener.onCancel();
  }
}

/**
 * Resets the stream of a call whose client does not read its end. The stream is a private field of grpc-js, read
 * defensively: if it is not as expected, the call stays until its connection closes.
 */
export function resetStream(call: ServerInterceptingCallInterface): void {
  const { stream } = call as unknown as { readonly stream?: unknown };
  if (stream instanceof Duplex && 'close' in stream) {
    (stream as http2.ServerHttp2Stream).close(http2.constants.NGHTTP2_CANCEL);
  }
}
