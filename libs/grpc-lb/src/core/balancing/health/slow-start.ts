import type { Cancel, Clock } from '../../clock.js';
import type { EffectiveSlowStartOptions } from '../../options/slow-start-options.js';

/**
 * The fraction of its full share that an endpoint gets `age` milliseconds after it joined: `max(minShare, (age /
 * window) ^ (1 / aggression))`, like the weight in Envoy's slow start.
 *
 * @param atMost An upper bound of the window, in milliseconds.
 */
export function warmth(age: number, options: EffectiveSlowStartOptions, atMost = Infinity): number {
  const { enabled, aggression, minShare } = options;
  const window = Math.min(options.window, atMost);
  if (!enabled || age >= window) return 1;
  return Math.max(minShare, (Math.max(age, 0) / window) ** (1 / aggression));
}

/** The slow start of one endpoint. */
export class SlowStart {
  /** When it began; undefined if there is none. */
  #since: number | undefined;
  /** The longest that it may take, in milliseconds. */
  #atMost = Infinity;
  #cancelEnd: Cancel | undefined;

  constructor(private readonly clock: Clock) {}

  /** @param atMost The longest that it may take, in milliseconds, whatever the window. */
  begin(options: EffectiveSlowStartOptions, atMost: number, onEnd: () => void): void {
    this.#since = this.clock.now();
    this.#atMost = atMost;
    this.stop();
    this.#cancelEnd = this.clock.after(Math.min(options.window, atMost), () => {
      this.#since = undefined;
      onEnd();
    });
  }

  /** Progress as a fraction of the full share; 1 if there is none. */
  warmth(options: EffectiveSlowStartOptions): number {
    return this.#since === undefined ? 1 : warmth(this.clock.now() - this.#since, options, this.#atMost);
  }

  stop(): void {
    this.#cancelEnd?.();
  }
}
