import { jittered, type Random } from '../../../libs/grpc-lb/src/core/random.js';

/** How a simulated client gives up and retries. */
export interface RetryModel {
  /** Attempts in total, including the first. */
  readonly maxAttempts: number;
  /** Milliseconds after which the caller gives up an attempt; the server still does its work. */
  readonly timeout?: number;
  /** gRFC A6; without it every failure is retried. */
  readonly throttling?: { readonly maxTokens: number; readonly tokenRatio: number };
}

const INITIAL_BACKOFF_MS = 50;

/** The part of gRFC A6 that grpc-js implements, not this package: backoff, and tokens for each client. */
export class Retries {
  #tokens: number;

  constructor(
    private readonly model: RetryModel | undefined,
    private readonly random: Random,
  ) {
    this.#tokens = model?.throttling?.maxTokens ?? 0;
  }

  get timeout(): number | undefined {
    return this.model?.timeout;
  }

  succeeded(): void {
    const throttling = this.model?.throttling;
    if (throttling) this.#tokens = Math.min(throttling.maxTokens, this.#tokens + throttling.tokenRatio);
  }

  /** Milliseconds until the next attempt; undefined if there is none. */
  failed(attempts: number): number | undefined {
    if (!this.model) return undefined;
    const { throttling, maxAttempts } = this.model;
    // gRFC A6: "every failed RPC will decrement the token_count by 1", and below half of maxTokens there are no retries.
    if (throttling) this.#tokens = Math.max(0, this.#tokens - 1);
    if (attempts >= maxAttempts) return undefined;
    if (throttling && this.#tokens <= throttling.maxTokens / 2) return undefined;
    return jittered(this.random, INITIAL_BACKOFF_MS * 2 ** (attempts - 1), 0.2);
  }
}
