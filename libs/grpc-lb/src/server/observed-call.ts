import type { Metadata, ServerInterceptingCallInterface, status as Status } from '@grpc/grpc-js';
import { countRequests, FrameCounter, type ResponseSizes } from './message-sizes.js';
import type { RefusalReason } from './refusal.js';
import type { StreamEnd } from './stream-end.js';
import type { ObservedServerCall, ServerCallObservation, ServerCallObserver } from './server-observer.js';

/** Why the server has ended a call itself. */
export interface EndMark {
  /** Set if no handler was started. */
  readonly refused?: RefusalReason;
  /** Set if the handler of a stream still ran. */
  readonly streamEnd?: StreamEnd;
  /** Set if grpc-js has ended the call because of what the caller has sent. */
  readonly unreadable?: boolean;
}

/** One call of a server that has an observer. */
export class ObservedCall implements ObservedServerCall {
  metadata!: Metadata;
  #observation: ServerCallObservation | undefined;
  #sentBytes = 0;
  readonly #received = new FrameCounter();

  constructor(
    private readonly observer: ServerCallObserver,
    private readonly call: ServerInterceptingCallInterface,
    private readonly sizes: ResponseSizes,
    readonly method: string,
    readonly instrumented: boolean,
  ) {
    countRequests(call, this.#received);
  }

  get authority(): string {
    return this.call.getHost();
  }

  get peer(): string {
    return this.call.getPeer();
  }

  /** The call has arrived. */
  started(metadata: Metadata): void {
    this.metadata = metadata;
    this.#observation = this.observer.callStarted(this);
  }

  /** Runs a part of the handler. */
  run(action: () => void): void {
    const observation = this.#observation;
    if (observation?.run) observation.run(action);
    else action();
  }

  /** Sends a response. */
  send(next: () => void): void {
    this.sizes.last = 0;
    next();
    this.#sentBytes += this.sizes.last;
  }

  ended(code: Status, details: string, mark: EndMark | undefined): void {
    const { bytes: receivedBytes } = this.#received;
    const end = { code, details, sentBytes: this.#sentBytes, receivedBytes };
    if (mark?.refused !== undefined) this.#observation?.ended?.({ ...end, refused: mark.refused });
    else if (mark?.streamEnd !== undefined) this.#observation?.ended?.({ ...end, streamEnd: mark.streamEnd });
    else this.#observation?.ended?.(end);
  }
}
