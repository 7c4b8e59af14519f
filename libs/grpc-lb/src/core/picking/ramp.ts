import type { Candidate, Policy } from '../policy/policy.js';
import { sharesOf } from '../policy/shares.js';
import { evenPart } from './even-part.js';
import type { Rotatable, Rotation } from '../balancing/route/rotation.js';

/** An endpoint as a ramp sees it. */
export type Ramped = Candidate & Pick<Rotatable, 'warmth'>;

/**
 * Divides the calls of a group under one policy while some of its endpoints are in slow start. Warmth grows with time,
 * so the division is updated for each call.
 */
export class Ramp<E extends Ramped> {
  /** The part of the calls that the policy places among all endpoints; the rest follows the ramp. */
  even = 0;
  /** The part of the rest for which each cold endpoint is considered, in their order. */
  readonly considered: Float64Array;
  /** The share of each endpoint when all are warm. */
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

  /** Updates the division. */
  look(): this {
    let cold = 0;
    for (let j = 0; j < this.considered.length; j++) {
      cold += this.considered[j] = this.coldShares[j]! * this.#cold[j]!.warmth;
    }
    this.even = evenPart(this.#warmShare, cold);
    return this;
  }
}
