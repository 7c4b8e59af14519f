import { type CallInfo, type Policy, UNKNOWN_CALL } from '../policy/policy.js';
import { xxh64 } from '../hash/xxh64.js';
import type { Random } from '../random.js';
import { Ramp, type Ramped } from './ramp.js';
import type { Rotation } from '../balancing/route/rotation.js';
import type { PriorityRoute, Route } from '../balancing/route/route.js';

/** An endpoint, as far as a choice looks at it. */
export interface Choosable extends Ramped {
  /** Its ejection is over, and it waits for the call that decides. */
  readonly wantsProbe: boolean;
}

/** An endpoint that starts slowly takes a call also from one that has more than so many times its load. */
const RELIEF = 4;

/** The part of a priority's calls that goes to other zones now. */
export type CrossShare<E> = (priority: PriorityRoute<E>) => number;

/** How far a hash of 53 bits goes. */
const HASHES = 2 ** 53;

/**
 * What there is around every policy: priorities, zones, probes of the ejected, slow start, and retries that go elsewhere.
 */
export class Choice<E extends Choosable> {
  readonly #ramps = new Map<Rotation<E>, Ramp<E>>();

  constructor(
    private readonly route: Route<E>,
    private readonly policy: Policy,
    private readonly random: Random,
    private readonly crossShare: CrossShare<E> = ({ crossAtLeast }) => crossAtLeast,
  ) {}

  /**
   * The endpoint for a call; another one than `failedOn`, where the call has just failed, while there is another.
   * Undefined while none may be picked, but one is being probed.
   */
  pick(call: CallInfo, failedOn: E | undefined): E | undefined {
    const rotation = this.#rotationFor(call);
    if (!rotation) return undefined;
    // What belongs together is not sent elsewhere because an endpoint starts slowly.
    const even = rotation.cold.length === 0 || this.policy.sticky;
    const endpoint = even ? this.among(rotation.pickable, call) : this.#onTheRamp(rotation, call);
    return endpoint === failedOn ? this.#other(endpoint, call, rotation) : endpoint;
  }

  /** What the policy alone says of these. */
  among(endpoints: readonly E[], call: CallInfo): E {
    return endpoints[this.policy.pick(endpoints, call)]!;
  }

  /** An endpoint whose ejection is over, and which this call decides about; no call fails twice on the same. */
  probe(failedOn: E | undefined, call = UNKNOWN_CALL): E | undefined {
    const { probing } = this.route;
    if (probing.length === 0) return undefined;
    if (this.policy.sticky) return this.#ownProbe(failedOn, call);
    const endpoint = probing.find((each) => each.wantsProbe);
    return endpoint === failedOn ? undefined : endpoint;
  }

  /** The priority, then the zone: both by lot, so that latencies here and there can be compared. */
  #rotationFor(call: CallInfo): Rotation<E> | undefined {
    const { open } = this.route;
    let priority = open[0];
    if (!priority) return undefined;
    if (open.length > 1) {
      let draw = this.#draw(call, 0);
      priority = open.find(({ share }) => (draw -= share) < 0) ?? priority;
    }
    if (!priority.otherZones) return priority.localZone;
    return this.#draw(call, 1) < this.crossShare(priority) ? priority.otherZones : priority.localZone;
  }

  /** What belongs together draws the same lot each time. */
  #draw({ hashKey }: CallInfo, seed: number): number {
    return this.policy.sticky && hashKey !== undefined ? xxh64(hashKey, seed) / HASHES : this.random();
  }

  /**
   * An endpoint that starts slowly is considered for a growing part of the calls that would be its fair share, and then
   * gets them if it has no more load than the one that was chosen. A weight in the score instead, as in Envoy, gives it
   * nothing for long and everything at the end (envoy#26290), as an idle endpoint always has the fewest calls. Where few
   * are warm, as in a rolling restart, the policy places as many calls among all as keep those few from being pinned.
   */
  #onTheRamp(rotation: Rotation<E>, call: CallInfo): E {
    const { warm, cold } = rotation;
    const { even, considered, warmShares, coldShares } = this.#rampOf(rotation).look();
    let draw = this.random();
    if (draw < even) return this.among(rotation.pickable, call);
    draw = (draw - even) / (1 - even);
    const index = this.policy.pick(warm, call);
    const chosen = warm[index]!;
    const share = warmShares[index]!;
    const load = loadOf(chosen, share, share);
    for (let j = 0; j < cold.length; j++) {
      draw -= considered[j]!;
      if (draw >= 0) continue;
      // Where the others have all that they may have, a busy one is not spared.
      const light = even > 0 || loadOf(cold[j]!, coldShares[j]!, Math.max(coldShares[j]!, share)) <= load;
      return light ? cold[j]! : this.among(rotation.pickable, call);
    }
    const relief = cold.findIndex(
      (each, j) => loadOf(each, coldShares[j]!, Math.min(coldShares[j]!, share)) * RELIEF < load,
    );
    return cold[relief] ?? chosen;
  }

  #rampOf(rotation: Rotation<E>): Ramp<E> {
    let ramp = this.#ramps.get(rotation);
    if (!ramp) this.#ramps.set(rotation, (ramp = new Ramp(rotation, this.policy)));
    return ramp;
  }

  /** What belongs together does not go to another endpoint for a probe: it is made by a call that belongs there anyway. */
  #ownProbe(failedOn: E | undefined, call: CallInfo): E | undefined {
    const waiting = this.route.probing.filter((each) => each.wantsProbe && each !== failedOn);
    if (waiting.length === 0) return undefined;
    const endpoint = this.among([...new Set([...this.route.pickable, ...waiting])], call);
    return waiting.includes(endpoint) ? endpoint : undefined;
  }

  #other(avoid: E, call: CallInfo, { pickable }: Rotation<E>): E {
    let others = pickable.filter((endpoint) => endpoint !== avoid);
    if (others.length === 0) others = this.route.pickable.filter((endpoint) => endpoint !== avoid);
    return others.length > 0 ? this.among(others, call) : avoid;
  }
}

/**
 * The load of an endpoint for its share, with the call that is to be placed. Of two endpoints with unequal shares that
 * call weighs as on one of them: on each by its own, an idle light one would look fuller than an idle heavy one.
 */
function loadOf({ inFlight, failureFactor }: Choosable, share: number, callShare: number): number {
  return (inFlight / share + 1 / callShare) * failureFactor;
}
