import type { Address } from '../../core/endpoint.js';

/**
 * An address for a subchannel whose connections can be aborted. grpc-js passes the address to net.connect() unchanged,
 * and that accepts an AbortSignal: it allows a connect timeout that closes the socket, which grpc-js does not have
 * (grpc-node#2785), and closes a connection whose peer is dead.
 */
export type AbortableAddress = Address & {
  readonly signal: AbortSignal;
  /** Why the current attempt or connection was aborted; undefined if it was not. */
  readonly abortReason: string | undefined;
  /** Called when a new attempt begins. */
  renew(): void;
  abort(reason: string): void;
};

/** net.connect() revives a socket whose signal is already aborted, so a late attempt is aborted after it has begun. */
function abortedSoon(): AbortSignal {
  const controller = new AbortController();
  setImmediate(() => controller.abort());
  return controller.signal;
}

export function abortable(address: Address): AbortableAddress {
  let controller = new AbortController();
  let abortReason: string | undefined;
  return {
    ...address,
    get signal() {
      return controller.signal.aborted ? abortedSoon() : controller.signal;
    },
    get abortReason() {
      return abortReason;
    },
    renew() {
      controller = new AbortController();
      abortReason = undefined;
    },
    abort(reason) {
      abortReason = reason;
      controller.abort();
    },
  };
}
