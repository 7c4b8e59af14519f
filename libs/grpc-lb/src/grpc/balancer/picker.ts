import { Choice, type CrossShare } from '../../core/picking/choice.js';
import type { Route } from '../../core/balancing/route/route.js';
import type { CallInfo, Policy } from '../../core/policy/policy.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import type { Random } from '../../core/random.js';
import { callOf } from '../call/config-selector.js';
import type { PickArgs, Picker, PickResult } from '../experimental.js';
import { hashKeyOf } from '../call/hash-key.js';
import { type CallBook, CompletePick, QUEUE } from '../call/pick.js';
import type { PooledEndpoint } from '../endpoint/pooled-endpoint.js';
import type { PendingCalls } from '../call/pending-calls.js';

/**
 * Frozen lists of endpoints with living counters. The winner is reserved on the spot, so that of a hundred calls in
 * one tick each sees those before it.
 */
export class BalancedPicker implements Picker {
  readonly #choices: ReadonlyMap<Policy, Choice<PooledEndpoint>>;

  constructor(
    private readonly traffic: Route<PooledEndpoint>,
    private readonly policies: PolicySet,
    private readonly book: CallBook,
    private readonly pendingCalls: PendingCalls,
    random: Random,
    crossShare: CrossShare<PooledEndpoint>,
  ) {
    this.#choices = new Map(policies.all.map((policy) => [policy, new Choice(traffic, policy, random, crossShare)]));
  }

  /** A connection with room, else another endpoint with room, else the call waits (and a new connection is opened). */
  pick({ extraPickInfo: token, metadata }: PickArgs): PickResult {
    // First come, first served: who waits goes before who comes now.
    if (this.pendingCalls.pending > 0) return this.pendingCalls.wait(this.traffic.pickable);
    let call = callOf(token);
    const policy = this.policies.for(call);
    if (policy.keyedBy !== undefined) call = { ...call, hashKey: hashKeyOf(policy.keyedBy, metadata) };
    const choice = this.#choices.get(policy)!;
    const failedOn = this.book.failedOn(token);
    const probe = choice.probe(failedOn, call);
    const probed = probe?.connectionWithRoom();
    if (probe && probed) {
      const pick = new CompletePick(this.book, probe, probed, token, policy);
      probe.passiveHealth.beginProbe(pick);
      return pick;
    }
    const endpoint = choice.pick(call, failedOn);
    // All hangs on the probe that is under way.
    if (!endpoint) return QUEUE;
    const connection = endpoint.connectionWithRoom();
    if (connection) return new CompletePick(this.book, endpoint, connection, token, policy);
    return this.#pickElsewhere(token, call, policy, endpoint);
  }

  /** If it can be, where the full one is: in its priority, and on its side of the zones. */
  #pickElsewhere(token: object, call: CallInfo, policy: Policy, full: PooledEndpoint): PickResult {
    const { pickable } = this.traffic;
    if (this.pendingCalls.full) return this.pendingCalls.wait(pickable);
    const withRoom = pickable.filter((endpoint) => endpoint.hasRoom);
    if (withRoom.length === 0) return this.pendingCalls.wait(pickable);
    const near = withRoom.filter(
      ({ priority, inLocalZone: side }) => priority === full.priority && side === full.inLocalZone,
    );
    const endpoint = this.#choices.get(policy)!.among(near.length > 0 ? near : withRoom, call);
    return new CompletePick(this.book, endpoint, endpoint.connectionWithRoom()!, token, policy);
  }
}
