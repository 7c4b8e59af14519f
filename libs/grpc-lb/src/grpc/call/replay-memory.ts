import type { ChannelOptions } from '@grpc/grpc-js';

/** As in grpc-js: 1 MiB for a call, 16 MiB for a client. */
const PER_CALL = 1 << 20;
const TOTAL = 1 << 24;

/** Limits the memory of the requests that a client keeps for further attempts. */
export class ReplayMemory {
  readonly #perCall: number;
  readonly #total: number;
  #taken = 0;

  constructor(options: ChannelOptions) {
    this.#perCall = options['grpc.per_rpc_retry_buffer_size'] ?? PER_CALL;
    this.#total = options['grpc.retry_buffer_size'] ?? TOTAL;
  }

  /** @param ofCall What the call has taken so far, in bytes. */
  take(bytes: number, ofCall: number): boolean {
    if (ofCall + bytes > this.#perCall || this.#taken + bytes > this.#total) return false;
    this.#taken += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#taken -= bytes;
  }
}
