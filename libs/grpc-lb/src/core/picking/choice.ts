import { type CallInfo, type Candidate, type Policy, UNKNOWN_CALL } from '../policy/policy.js';
import { xxh64 } from '../hash/xxh64.js';
import type { Random } from '../random.js';
import type { Rotation } from './rotation.js';
import type { LevelTraffic, Traffic } from './traffic.js';

/** An endpoint, as far as a choice looks at it. */
export interface Choosable extends Candidate {
  /** The part of its full share that it gets while it starts slowly, else 1. */
  readonly warmth: number;
  /** Its ejection is over, and it waits for the call that decides. */
  readonly wantsProbe: boolean;
}

/** An endpoint that starts slowly takes a call also from one that has more than so many times its load. */
const RELIEF = 4;

/** The part of a priority's calls that goes to other zones now. */
export type CrossShare<E> = (level: LevelTraffic<E>) => number;

/** How far a hash of 53 bits goes. */
const HASHES = 2 ** 53;

/**
 * What there is around every policy: priorities, zones, probes of the ejected, slow start, and retries that go elsewhere.
 */
export class Choice<E extends Choosable> {
  constructor(
    private readonly traffic: Traffic<E>,
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
    const { warm, cold, pickable } = rotation;
    // What belongs together is not sent elsewhere because an endpoint starts slowly.
    let endpoint = this.among(this.policy.sticky ? pickable : warm, call);
    if (cold.length > 0 && !this.policy.sticky) endpoint = this.#maybeCold(endpoint, rotation);
    return endpoint === failedOn ? this.#other(endpoint, call, rotation) : endpoint;
  }

  /** What the policy alone says of these. */
  among(endpoints: readonly E[], call: CallInfo): E {
    return endpoints[this.policy.pick(endpoints, call)]!;
  }

  /** An endpoint whose ejection is over, and which this call decides about; no call fails twice on the same. */
  probe(failedOn: E | undefined, call = UNKNOWN_CALL): E | undefined {
    const { probing } = this.traffic;
    if (probing.length === 0) return undefined;
    if (this.policy.sticky) return this.#ownProbe(failedOn, call);
    const endpoint = probing.find((each) => each.wantsProbe);
    return endpoint === failedOn ? undefined : endpoint;
  }

  /** The priority, then the zone: both by lot, so that latencies here and there can be compared. */
  #rotationFor(call: CallInfo): Rotation<E> | undefined {
    const { open } = this.traffic;
    let level = open[0];
    if (!level) return undefined;
    if (open.length > 1) {
      let draw = this.#draw(call, 0);
      level = open.find(({ share }) => (draw -= share) < 0) ?? level;
    }
    if (!level.far) return level.near;
    return this.#draw(call, 1) < this.crossShare(level) ? level.far : level.near;
  }

  /** What belongs together draws the same lot each time. */
  #draw({ hashKey }: CallInfo, seed: number): number {
    return this.policy.sticky && hashKey !== undefined ? xxh64(hashKey, seed) / HASHES : this.random();
  }

  /**
   * An endpoint that starts slowly is considered for a growing part of the calls that would be its fair share, and then
   * gets them if it has no more load than the one that was chosen. A weight in the score instead, as in Envoy, gives it
   * nothing for long and everything at the end (envoy#26290), as an idle endpoint always has the fewest calls. Where few
   * are warm, as in a rolling restart, they are relieved in time.
   */
  #maybeCold(chosen: E, { pickable, cold }: Rotation<E>): E {
    let draw = this.random() * pickable.length;
    for (const endpoint of cold) {
      draw -= endpoint.warmth;
      if (draw < 0) return loadOf(endpoint) <= loadOf(chosen) ? endpoint : chosen;
    }
    return cold.find((endpoint) => loadOf(endpoint) * RELIEF < loadOf(chosen)) ?? chosen;
  }

  /** What belongs together does not go to another endpoint for a probe: it is made by a call that belongs there anyway. */
  #ownProbe(failedOn: E | undefined, call: CallInfo): E | undefined {
    const waiting = this.traffic.probing.filter((each) => each.wantsProbe && each !== failedOn);
    if (waiting.length === 0) return undefined;
    const endpoint = this.among([...new Set([...this.traffic.pickable, ...waiting])], call);
    return waiting.includes(endpoint) ? endpoint : undefined;
  }

  #other(avoid: E, call: CallInfo, { pickable }: Rotation<E>): E {
    let others = pickable.filter((endpoint) => endpoint !== avoid);
    if (others.length === 0) others = this.traffic.pickable.filter((endpoint) => endpoint !== avoid);
    return others.length > 0 ? this.among(others, call) : avoid;
  }
}

function loadOf({ inFlight, failureFactor, weight }: Choosable): number {
  return ((inFlight + 1) * failureFactor) / weight;
}
