import type { Metadata } from '@grpc/grpc-js';

/** A call as a backend of a fleet got it; each attempt of a call that is retried is one. */
export interface ReceivedCall {
  /** The index of the backend. */
  readonly backend: number;
  /** As in `/orders.v1.Orders/Find`. */
  readonly method: string;
  /** The request; undefined for a stream of requests. */
  readonly request: unknown;
  /** The metadata that the client sent. */
  readonly metadata: Metadata;
}

/** More are counted, and forgotten. */
const MAX_KEPT = 10_000;

/** The calls that the backends of a fleet got, in order. */
export class CallLog {
  #kept: ReceivedCall[] = [];
  #counts: number[] = [];

  add(call: ReceivedCall): void {
    this.#counts[call.backend] = this.countOf(call.backend) + 1;
    if (this.#kept.length < MAX_KEPT) this.#kept.push(call);
  }

  countOf(backend: number): number {
    return this.#counts[backend] ?? 0;
  }

  /** Calls by the index of the backend. */
  get counts(): readonly number[] {
    return Array.from(this.#counts, (count) => count ?? 0);
  }

  get total(): number {
    return this.counts.reduce((sum, each) => sum + each, 0);
  }

  get all(): readonly ReceivedCall[] {
    return [...this.#kept];
  }

  clear(): void {
    this.#kept = [];
    this.#counts = [];
  }
}
