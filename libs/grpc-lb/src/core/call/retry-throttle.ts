/** Tokens are counted in thousandths, so that sums are exact: "Up to 3 decimal places are supported". */
const TOKEN = 1000;

/**
 * The retry throttle of one client (gRFC A6): when more calls fail than succeed, retries stop, since they would only
 * add load.
 */
export class RetryThrottle {
  /** Retries and hedges that it prevented since the start. */
  denied: number;
  readonly #max: number;
  readonly #gain: number;
  #tokens: number;

  constructor(
    readonly maxTokens: number,
    readonly tokenRatio: number,
    /** The throttle that this one replaces; the share of its tokens is taken over. */
    previous?: Pick<RetryThrottle, 'denied' | 'level'>,
  ) {
    this.denied = previous?.denied ?? 0;
    this.#max = maxTokens * TOKEN;
    this.#gain = Math.round(tokenRatio * TOKEN);
    this.#tokens = Math.round(this.#max * (previous?.level ?? 1));
  }

  /** From 0 to 1. */
  get level(): number {
    return this.#tokens / this.#max;
  }

  /** "token_count ... is greater than the threshold ... max_tokens / 2". */
  get open(): boolean {
    return this.#tokens > this.#max / 2;
  }

  /** "Every failed RPC will decrement the token_count by 1." */
  failed(): void {
    this.#tokens = Math.max(0, this.#tokens - TOKEN);
  }

  /** "Every successful RPC will increment the token_count by token_ratio." */
  succeeded(): void {
    this.#tokens = Math.min(this.#max, this.#tokens + this.#gain);
  }
}
