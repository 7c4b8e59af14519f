import type { Policy } from '../core/policy/policy.js';
import type { Picker, PickResult } from './experimental.js';
import { type CallLedger, CompletePick } from './pick.js';
import type { PooledEndpoint } from './pooled-endpoint.js';
import type { WaitingRoom } from './waiting-room.js';

/**
 * A frozen list of endpoints that may be picked, with living counters. The winner is reserved on the spot, so that of
 * a hundred calls in one tick each sees those before it.
 */
export class BalancedPicker implements Picker {
  constructor(
    private readonly endpoints: readonly PooledEndpoint[],
    private readonly policy: Policy,
    private readonly ledger: CallLedger,
    private readonly waitingRoom: WaitingRoom,
  ) {}

  /** A connection with room, else another endpoint with room, else the call waits (and a new connection is opened). */
  pick(): PickResult {
    const endpoint = this.endpoints[this.policy.pick(this.endpoints)]!;
    const connection = endpoint.connectionWithRoom();
    return connection ? new CompletePick(this.ledger, endpoint, connection) : this.#pickElsewhere();
  }

  #pickElsewhere(): PickResult {
    if (this.waitingRoom.full) return this.waitingRoom.wait(this.endpoints);
    const withRoom = this.endpoints.filter((endpoint) => endpoint.hasRoom);
    if (withRoom.length === 0) return this.waitingRoom.wait(this.endpoints);
    const endpoint = withRoom[this.policy.pick(withRoom)]!;
    return new CompletePick(this.ledger, endpoint, endpoint.connectionWithRoom()!);
  }
}
