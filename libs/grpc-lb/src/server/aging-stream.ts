import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Due, DueQueue } from './due-queue.js';
import type { OpenCall } from './open-call.js';
import { resetStream } from './stream-call.js';
import { streamEnding } from './stream-end.js';

/** Time for the client to read the end of its stream. */
const FLUSH_MS = 5000;

const TOO_OLD = streamEnding('max_age', 'the stream has reached its maximum age: open the stream again');

/** A stream that ends at its maximum age. */
export class AgingStream implements Due {
  bucket: Due['bucket'];
  #ended = false;

  constructor(
    private readonly call: ServerInterceptingCallInterface,
    private readonly open: Pick<OpenCall, 'end'>,
    private readonly queue: DueQueue,
    lifetime: number,
  ) {
    queue.add(this, lifetime);
  }

  /** Called by the queue: first when the stream is too old, then if its client does not read its end. */
  due(): void {
    if (this.#ended) {
      resetStream(this.call);
      return;
    }
    this.#ended = true;
    this.queue.add(this, FLUSH_MS);
    this.open.end(TOO_OLD);
  }

  /** The call has ended. */
  closed(): void {
    if (!this.#ended) this.queue.delete(this);
  }

  /** The end has been sent, or the caller has left. */
  gone(): void {
    this.queue.delete(this);
  }
}
