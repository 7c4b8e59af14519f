import type { Candidate, Policy } from '../policy/policy.js';
import { sharesOf } from '../policy/shares.js';
import { evenPart } from './even-part.js';
import type { Rotatable, Rotation } from '../balancing/route/rotation.js';

/** An endpoint, as far as a ramp looks at it. */
export type Ramped = Candidate & Pick<Rotatable, 'warmth'>;

/**
 * How the calls of a group are divided while some of its endpoints start slowly, under one policy. Warmth grows with
 * time, so this is looked at anew for each call.
 */
export class Ramp<E extends Ramped> {
  /** The part of the calls that the policy places among all alike; the rest follows the ramp. */
  even = 0;
  /** Of that rest, the part for which each cold endpoint is considered, in their order. */
  readonly considered: Float64Array;
  /** What each has of the calls when all are warm. */
  readonly warmShares: Float64Array;
  readonly coldShares: Float64Array;
  readonly #cold: readonly E[];
  readonly #warmShare: number;

  constructor({ pickable, warm, cold }: Rotation<E>, policy: Policy) {
    this.#cold = cold;
    this.considered = new Float64Array(cold.length);
    this.coldShares = new Float64Array(cold.length);
    this.warmShares = new Float64Array(warm.length);
    let [i, j] = [0, 0];
    // Both lists are in the order of `pickable`.
    sharesOf(policy, pickable).forEach((share, at) => {
      if (pickable[at] === cold[j]) this.coldShares[j++] = share;
      else this.warmShares[i++] = share;
    });
    this.#warmShare = this.warmShares.reduce((sum, share) => sum + share, 0);
  }

  /** Brings it up to date. */
  look(): this {
    let cold = 0;
    for (let j = 0; j < this.considered.length; j++) {
      cold += this.considered[j] = this.coldShares[j]! * this.#cold[j]!.warmth;
    }
    this.even = evenPart(this.#warmShare, cold);
    return this;
  }
}
