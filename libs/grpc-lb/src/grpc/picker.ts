import type { Policy } from '../core/policy/policy.js';
import type { Random } from '../core/random.js';
import type { PickArgs, Picker, PickResult } from './experimental.js';
import { type CallBook, CompletePick } from './pick.js';
import type { PooledEndpoint } from './pooled-endpoint.js';
import type { Rotation } from './rotation.js';
import type { WaitingRoom } from './waiting-room.js';

/** An endpoint that starts slowly takes a call also from one that has more than so many times its load. */
const RELIEF = 4;

/**
 * Frozen lists of endpoints with living counters. The winner is reserved on the spot, so that of a hundred calls in
 * one tick each sees those before it.
 */
export class BalancedPicker implements Picker {
  constructor(
    private readonly rotation: Rotation,
    private readonly policy: Policy,
    private readonly book: CallBook,
    private readonly waitingRoom: WaitingRoom,
    private readonly random: Random,
  ) {}

  /** A connection with room, else another endpoint with room, else the call waits (and a new connection is opened). */
  pick({ extraPickInfo: call }: PickArgs): PickResult {
    // First come, first served: who waits goes before who comes now.
    if (this.waitingRoom.pending > 0) return this.waitingRoom.wait(this.rotation.pickable);
    if (this.rotation.probing.length > 0) {
      const probe = this.#pickProbe(call);
      if (probe) return probe;
    }
    let endpoint = this.#choose(this.rotation.warm);
    if (this.rotation.cold.length > 0) endpoint = this.#maybeCold(endpoint);
    if (endpoint === this.book.failedOn(call)) endpoint = this.#chooseOther(endpoint);
    const connection = endpoint.connectionWithRoom();
    return connection ? new CompletePick(this.book, endpoint, connection, call, false) : this.#pickElsewhere(call);
  }

  #choose(endpoints: readonly PooledEndpoint[]): PooledEndpoint {
    return endpoints[this.policy.pick(endpoints)]!;
  }

  /** One call to an endpoint whose ejection is over. */
  #pickProbe(call: object): PickResult | undefined {
    const endpoint = this.rotation.probing.find((each) => each.wantsProbe);
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
  #maybeCold(chosen: PooledEndpoint): PooledEndpoint {
    let draw = this.random() * this.rotation.pickable.length;
    for (const endpoint of this.rotation.cold) {
      draw -= endpoint.warmth;
      if (draw < 0) return loadOf(endpoint) <= loadOf(chosen) ? endpoint : chosen;
    }
    return this.rotation.cold.find((endpoint) => loadOf(endpoint) * RELIEF < loadOf(chosen)) ?? chosen;
  }

  /** A retry avoids the endpoint that has just failed, while there is another. */
  #chooseOther(avoid: PooledEndpoint): PooledEndpoint {
    const others = this.rotation.pickable.filter((endpoint) => endpoint !== avoid);
    return others.length > 0 ? this.#choose(others) : avoid;
  }

  #pickElsewhere(call: object): PickResult {
    const { pickable } = this.rotation;
    if (this.waitingRoom.full) return this.waitingRoom.wait(pickable);
    const withRoom = pickable.filter((endpoint) => endpoint.hasRoom);
    if (withRoom.length === 0) return this.waitingRoom.wait(pickable);
    const endpoint = this.#choose(withRoom);
    return new CompletePick(this.book, endpoint, endpoint.connectionWithRoom()!, call, false);
  }
}

function loadOf({ inFlight, failureFactor, weight }: PooledEndpoint): number {
  return ((inFlight + 1) * failureFactor) / weight;
}
