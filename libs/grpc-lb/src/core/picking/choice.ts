import { type CallInfo, type Policy, UNKNOWN_CALL } from '../policy/policy.js';
import { xxh64 } from '../hash/xxh64.js';
import type { Random } from '../random.js';
import { withFewestStreams } from './fewest-streams.js';
import { Ramp, type Ramped } from './ramp.js';
import type { Rotation } from '../balancing/route/rotation.js';
import type { PriorityRoute, Route } from '../balancing/route/route.js';

/** An endpoint as a choice sees it. */
export interface Choosable extends Ramped {
  /** Whether its ejection time is over and it waits for its probe. */
  readonly wantsProbe: boolean;
  /** Refused calls that still count as load. */
  readonly lingering: number;
}

/** An endpoint in slow start also takes over a call from an endpoint with more than this many times its load. */
const RELIEF = 4;

/** The share of a priority's calls that currently goes to other zones. */
export type CrossShare<E> = (priority: PriorityRoute<E>) => number;

/** The number of different 53-bit hashes. */
const HASHES = 2 ** 53;

/**
 * Everything around a policy: priorities, zones, probes of ejected endpoints, slow start, and retries on another
 * endpoint.
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
   * Returns the endpoint for a call, if possible none of `tried`, where the call has been. Undefined if no endpoint may
   * be picked, but one is being probed.
   *
   * @param lasts Whether it is a stream that is expected to last.
   */
  pick(call: CallInfo, tried: readonly E[], lasts = false): E | undefined {
    const rotation = this.#rotationFor(call);
    if (!rotation) return undefined;
    // Calls with the same key stay on their endpoint during its slow start. Of the streams that last, a cold endpoint
    // holds as many as its warmth allows.
    const byNumber = lasts && this.policy.streams === 'fewest';
    const even = rotation.cold.length === 0 || byNumber || this.policy.sticky;
    const endpoint = even ? this.among(rotation.pickable, call, lasts) : this.#onTheRamp(rotation, call);
    return tried.includes(endpoint) ? (this.#other(tried, call, rotation, lasts) ?? endpoint) : endpoint;
  }

  /** Where a stream with the key of this call, which is at an endpoint now, belongs; undefined if nothing decides it. */
  home(call: CallInfo, at: E): E | undefined {
    if (!this.policy.home || call.hashKey === undefined) return undefined;
    const { pickable = [] } = this.#rotationFor(call) ?? {};
    return pickable.length > 0 ? pickable[this.policy.home(pickable, call, at)] : undefined;
  }

  /** The choice of the policy alone; for a stream that lasts, among the endpoints with the fewest, if it regards load. */
  among(endpoints: readonly E[], call: CallInfo, lasts = false): E {
    const candidates = lasts && this.policy.streams === 'fewest' ? withFewestStreams(endpoints) : endpoints;
    return candidates[this.policy.pick(candidates, call)]!;
  }

  /**
   * Returns an endpoint that waits for its probe, if this call can be the probe; a call does not probe an endpoint that
   * it has tried.
   */
  probe(tried: readonly E[], call = UNKNOWN_CALL): E | undefined {
    const { probing } = this.route;
    if (probing.length === 0) return undefined;
    if (this.policy.sticky) return this.#ownProbe(tried, call);
    return probing.find((each) => each.wantsProbe && !tried.includes(each));
  }

  /** Chooses the priority, then the zone, both at random, so that the latencies of the zones are comparable. */
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

  /** Draws a random number; the same one for all calls with the same key. */
  #draw({ hashKey }: CallInfo, seed: number): number {
    return this.policy.sticky && hashKey !== undefined ? xxh64(hashKey, seed) / HASHES : this.random();
  }

  /**
   * Considers an endpoint in slow start for a growing part of its fair share of the calls; it gets those calls if its
   * load is not higher than that of the endpoint chosen among the warm ones. A weight in the score instead, as in
   * Envoy, gives it nothing for long and everything at the end (envoy#26290), because an idle endpoint always has the
   * fewest calls. If few endpoints are warm, as in a rolling restart, the policy places enough calls among all
   * endpoints to protect those few from overload.
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
      // If the warm endpoints already carry their maximum, a cold endpoint gets the call even if it is busy.
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

  /**
   * Calls with the same key do not move to another endpoint for a probe: a call that belongs to the endpoint makes it.
   */
  #ownProbe(tried: readonly E[], call: CallInfo): E | undefined {
    const waiting = this.route.probing.filter((each) => each.wantsProbe && !tried.includes(each));
    if (waiting.length === 0) return undefined;
    const endpoint = this.among([...new Set([...this.route.pickable, ...waiting])], call);
    return waiting.includes(endpoint) ? endpoint : undefined;
  }

  #other(tried: readonly E[], call: CallInfo, { pickable }: Rotation<E>, lasts: boolean): E | undefined {
    let others = pickable.filter((endpoint) => !tried.includes(endpoint));
    if (others.length === 0) others = this.route.pickable.filter((endpoint) => !tried.includes(endpoint));
    return others.length > 0 ? this.among(others, call, lasts) : undefined;
  }
}

/**
 * The load of an endpoint relative to its share, including the call to place. That call is weighted by the same share
 * for both endpoints of a comparison: by the share of each, an idle light endpoint would look busier than an idle heavy
 * one.
 */
function loadOf({ inFlight, failureFactor }: Choosable, share: number, callShare: number): number {
  return (inFlight / share + 1 / callShare) * failureFactor;
}
