import type { Address } from '../../core/endpoint.js';

/** net.connect() revives a socket whose signal is already aborted, so a late attempt is aborted after it has begun. */
function abortedSoon(): AbortSignal {
  const controller = new AbortController();
  setImmediate(() => controller.abort());
  return controller.signal;
}

/** The reason to abort an attempt whose connection is not wanted any more. */
export const NOT_NEEDED = 'the connection is no longer needed';

class AbortableAttempts {
  #controller = new AbortController();
  #abortReason: string | undefined;

  constructor() {
    Object.defineProperty(this, 'signal', SIGNAL);
  }

  /** Why the current attempt was aborted; undefined if it was not. */
  get abortReason(): string | undefined {
    return this.#abortReason;
  }

  /**
   * Called when a new attempt begins, and when one has succeeded: net.connect() leaves a listener on the signal, so that
   * the signal keeps the socket, and with it a session that has ended, for as long as it lives itself.
   */
  renew(): void {
    this.#controller = new AbortController();
    this.#abortReason = undefined;
  }

  abort(reason: string): void {
    this.#abortReason = reason;
    this.#controller.abort(reason);
  }

  /** The signal for an attempt that reads it now. */
  get currentSignal(): AbortSignal {
    const { signal } = this.#controller;
    return signal.aborted ? abortedSoon() : signal;
  }
}

/**
 * An own property, because net.connect() copies only those. All addresses share one getter: with a getter each, V8
 * would give each a shape of its own, and grpc-js compares addresses with each other thousands of times.
 */
const SIGNAL = {
  enumerable: true,
  get(this: AbortableAttempts): AbortSignal {
    return this.currentSignal;
  },
};

/**
 * An address for a subchannel whose attempts to connect can be aborted. grpc-js passes the address to net.connect() unchanged,
 * and that accepts an AbortSignal: it allows a connect timeout that closes the socket, which grpc-js does not have
 * (grpc-node#2785).
 */
export type AbortableAddress = AbortableAttempts & Address;

export function abortable(address: Address): AbortableAddress {
  return Object.assign(new AbortableAttempts(), address);
}
