import type { Address } from '../../core/endpoint.js';

/**
 * An address for a subchannel whose connections can be cut. grpc-js hands the address to net.connect() as it is, and
 * that takes an AbortSignal: the way to a connect timeout that closes the socket, which grpc-js does not have
 * (grpc-node#2785), and to the end of a connection whose peer is dead.
 */
export type AbortableAddress = Address & {
  readonly signal: AbortSignal;
  /** Why the present attempt or connection was cut; undefined if it was not. */
  readonly abortReason: string | undefined;
  /** A new attempt begins. */
  renew(): void;
  abort(reason: string): void;
};

/** net.connect() revives a socket whose signal is aborted already: one that begins too late is aborted once it has. */
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
