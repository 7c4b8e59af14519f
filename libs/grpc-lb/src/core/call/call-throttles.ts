import type { Clock } from '../clock.js';
import type { EffectiveThrottlePolicy } from '../options/throttle-options.js';
import type { Random } from '../random.js';
import type { ThrottleSnapshot } from '../snapshot.js';
import { CallThrottle, type ThrottleRule } from './call-throttle.js';

/**
 * A proxy may receive calls with arbitrary method names: of those that the client does not declare, the ones beyond this
 * number share one throttle.
 */
export const MAX_THROTTLES = 1000;
/** The name of the methods that share it. */
export const OTHER_METHODS = 'other';

export interface ThrottlesEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** The numbers of statuses by their names. */
  readonly codesOf: (names: EffectiveThrottlePolicy['rejectionStatusCodes']) => ReadonlySet<number>;
  /** Called when a method begins to be throttled, and when all of its calls pass again. */
  readonly changed: (method: string, throttle: CallThrottle) => void;
}

interface Entry {
  readonly policy: EffectiveThrottlePolicy;
  readonly declared: boolean;
  readonly throttle: CallThrottle;
}

/** The throttles of one client, by method. */
export class CallThrottles {
  /** Calls that were refused by throttles that are gone. */
  #refusedBefore = 0;
  readonly #byPath = new Map<string, Entry>();
  /** How many of them the client does not declare. */
  #undeclared = 0;

  constructor(private readonly environment: ThrottlesEnvironment) {}

  /**
   * The throttle of a method. Its counts stay as long as its policy does.
   *
   * @param path As in `/orders.v1.Orders/Find`.
   */
  of(path: string, policy: EffectiveThrottlePolicy, declared: boolean): CallThrottle {
    const method = this.#byPath.has(path) || declared || this.#undeclared < MAX_THROTTLES ? path : OTHER_METHODS;
    const known = this.#byPath.get(method);
    if (known && equal(known.policy, policy)) return known.throttle;
    if (known) this.#refusedBefore += known.throttle.refused;
    else if (!declared) this.#undeclared++;
    const throttle = this.#create(method, policy);
    this.#byPath.set(method, { policy, declared, throttle });
    return throttle;
  }

  /** Drops all throttles, because calls are not throttled any more. */
  clear(): void {
    this.#refusedBefore = this.refused;
    this.#byPath.clear();
    this.#undeclared = 0;
  }

  /** Calls that were refused since the start. */
  get refused(): number {
    let refused = this.#refusedBefore;
    for (const { throttle } of this.#byPath.values()) refused += throttle.refused;
    return refused;
  }

  /** Of the methods that have had calls recently, or refused any. */
  snapshot(): ThrottleSnapshot[] {
    return [...this.#byPath].flatMap(([method, { declared, throttle }]) => {
      const { state, counts, refused } = throttle;
      return counts.requests > 0 || refused > 0 ? [{ method, declared, state, ...counts, refused }] : [];
    });
  }

  #create(method: string, { multiplier, window, rejectionStatusCodes }: EffectiveThrottlePolicy): CallThrottle {
    const { clock, random, codesOf, changed } = this.environment;
    const rule: ThrottleRule = { multiplier, window, rejectionCodes: codesOf(rejectionStatusCodes) };
    return new CallThrottle(rule, clock, random, (throttle) => changed(method, throttle));
  }
}

function equal(one: EffectiveThrottlePolicy, other: EffectiveThrottlePolicy): boolean {
  return (
    one.multiplier === other.multiplier &&
    one.window === other.window &&
    one.rejectionStatusCodes.join() === other.rejectionStatusCodes.join()
  );
}
