import type { Policy } from '../core/policy/policy.js';
import type { Random } from '../core/random.js';
import type { PickArgs, Picker, PickResult } from './experimental.js';
import { type CallBook, CompletePick, QUEUE } from './pick.js';
import type { PooledEndpoint } from './pooled-endpoint.js';
import type { Rotation } from './rotation.js';
import type { LevelTraffic, Traffic } from './traffic.js';
import type { WaitingRoom } from './waiting-room.js';

/** An endpoint that starts slowly takes a call also from one that has more than so many times its load. */
const RELIEF = 4;

/**
 * Frozen lists of endpoints with living counters. The winner is reserved on the spot, so that of a hundred calls in
 * one tick each sees those before it.
 */
export class BalancedPicker implements Picker {
  constructor(
    private readonly traffic: Traffic,
    private readonly policy: Policy,
    private readonly book: CallBook,
    private readonly waitingRoom: WaitingRoom,
    private readonly random: Random,
    /** The part of a priority's calls that goes to other zones now. */
    private readonly crossShare: (level: LevelTraffic) => number,
  ) {}

  /** A connection with room, else another endpoint with room, else the call waits (and a new connection is opened). */
  pick({ extraPickInfo: call }: PickArgs): PickResult {
    // First come, first served: who waits goes before who comes now.
    if (this.waitingRoom.pending > 0) return this.waitingRoom.wait(this.traffic.pickable);
    if (this.traffic.probing.length > 0) {
      const probe = this.#pickProbe(call);
      if (probe) return probe;
    }
    const rotation = this.#chooseRotation();
    // All hangs on the probe that is under way.
    if (!rotation) return QUEUE;
    let endpoint = this.#choose(rotation.warm);
    if (rotation.cold.length > 0) endpoint = this.#maybeCold(endpoint, rotation);
    if (endpoint === this.book.failedOn(call)) endpoint = this.#chooseOther(endpoint, rotation);
    const connection = endpoint.connectionWithRoom();
    if (connection) return new CompletePick(this.book, endpoint, connection, call, false);
    return this.#pickElsewhere(call, rotation);
  }

  /** The priority, then the zone: both by lot, so that latencies here and there can be compared. */
  #chooseRotation(): Rotation | undefined {
    const { open } = this.traffic;
    let level = open[0];
    if (!level) return undefined;
    if (open.length > 1) {
      let draw = this.random();
      level = open.find(({ share }) => (draw -= share) < 0) ?? level;
    }
    if (!level.far) return level.near;
    return this.random() < this.crossShare(level) ? level.far : level.near;
  }

  #choose(endpoints: readonly PooledEndpoint[]): PooledEndpoint {
    return endpoints[this.policy.pick(endpoints)]!;
  }

  /** One call to an endpoint whose ejection is over. */
  #pickProbe(call: object): PickResult | undefined {
    const endpoint = this.traffic.probing.find((each) => each.wantsProbe);
    const connection = endpoint === this.book.failedOn(call) ? undefined : endpoint?.connectionWithRoom();
    if (!endpoint || !connection) return undefined;
    endpoint.probeInFlight = true;
    return new CompletePick(this.book, endpoint, connection, call, true);
  }

  /**
   * An endpoint that starts slowly is considered for a growing part of the calls that would be its fair share, and then
   * gets them if it has no more load than the one that was chosen. A weight in the score instead, as in Envoy, gives it
   * nothing for long and everything at the end (envoy#26290), as an idle endpoint always has the fewest calls. Where few
   * are warm, as in a rolling restart, they are relieved in time.
   */
  #maybeCold(chosen: PooledEndpoint, { pickable, cold }: Rotation): PooledEndpoint {
    let draw = this.random() * pickable.length;
    for (const endpoint of cold) {
      draw -= endpoint.warmth;
      if (draw < 0) return loadOf(endpoint) <= loadOf(chosen) ? endpoint : chosen;
    }
    return cold.find((endpoint) => loadOf(endpoint) * RELIEF < loadOf(chosen)) ?? chosen;
  }

  /** A retry avoids the endpoint that has just failed, while there is another. */
  #chooseOther(avoid: PooledEndpoint, { pickable }: Rotation): PooledEndpoint {
    let others = pickable.filter((endpoint) => endpoint !== avoid);
    if (others.length === 0) others = this.traffic.pickable.filter((endpoint) => endpoint !== avoid);
    return others.length > 0 ? this.#choose(others) : avoid;
  }

  #pickElsewhere(call: object, rotation: Rotation): PickResult {
    const { pickable } = this.traffic;
    if (this.waitingRoom.full) return this.waitingRoom.wait(pickable);
    let withRoom = rotation.pickable.filter((endpoint) => endpoint.hasRoom);
    if (withRoom.length === 0 && rotation.pickable !== pickable) withRoom = pickable.filter(({ hasRoom }) => hasRoom);
    if (withRoom.length === 0) return this.waitingRoom.wait(pickable);
    const endpoint = this.#choose(withRoom);
    return new CompletePick(this.book, endpoint, endpoint.connectionWithRoom()!, call, false);
  }
}

function loadOf({ inFlight, failureFactor, weight }: PooledEndpoint): number {
  return ((inFlight + 1) * failureFactor) / weight;
}
