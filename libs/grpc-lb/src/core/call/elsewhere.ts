import { USUAL_RANK } from './call-counts.js';
import { RetryThrottle } from './retry-throttle.js';

/** About a tenth of the successes, and ten at once. */
const TOKENS = 20;
const RATIO = 0.1;

/**
 * Limits how many of the calls that servers have shed are sent elsewhere. Each criticality has a throttle of its own:
 * when most of the less important calls are shed, the few important ones among them still have their second attempt.
 */
export class Elsewhere {
  /** By the index of the criticality; created with the first call of it that is shed. */
  readonly #throttles: (RetryThrottle | undefined)[] = [];

  /** A server has shed a call; returns whether it may go elsewhere. */
  shed(rank: number = USUAL_RANK): boolean {
    const throttle = (this.#throttles[rank] ??= new RetryThrottle(TOKENS, RATIO));
    throttle.failed();
    return throttle.open;
  }

  succeeded(rank: number = USUAL_RANK): void {
    this.#throttles[rank]?.succeeded();
  }
}
