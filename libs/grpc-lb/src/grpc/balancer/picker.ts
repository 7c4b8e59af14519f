import { type Open, Picker, type PickerSource } from '../../core/balancing/calls/picker.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import { CompletePick, type PickContext, QUEUE } from '../call/complete-pick.js';
import { callOf } from '../call/config-selector.js';
import { hashKeyOf } from '../call/hash-key.js';
import type { PendingCalls } from '../call/pending-calls.js';
import type { Connection } from '../endpoint/connection.js';
import type { PickArgs, Picker as GrpcPicker, PickResult } from '../experimental.js';

/** A grpc-js picker that applies a balancer's decisions. */
export class BalancedPicker implements GrpcPicker {
  readonly #picker: Picker<Connection, CompletePick>;
  readonly #policies: PolicySet;

  constructor(
    source: PickerSource<Connection>,
    private readonly pendingCalls: PendingCalls,
    context: PickContext,
  ) {
    this.#policies = source.policies;
    const open: Open<Connection, CompletePick> = (member, connection, token, policy) =>
      new CompletePick(context, member, connection, token, policy);
    this.#picker = new Picker(source, open);
  }

  /** Returns an attempt on a connection with room; otherwise the call waits, and a new connection is opened. */
  pick({ extraPickInfo: token, metadata }: PickArgs): PickResult {
    const { pendingCalls } = this;
    // First come, first served: pending calls precede a new one.
    if (pendingCalls.count > 0) return pendingCalls.wait(this.#picker.pickable);
    let call = callOf(token);
    const policy = this.#policies.for(call);
    if (policy.keyedBy !== undefined) call = { ...call, hashKey: hashKeyOf(policy.keyedBy, metadata) };
    const picked = this.#picker.pick(token, call, policy, pendingCalls.full);
    return picked === 'full' ? pendingCalls.wait(this.#picker.pickable) : (picked ?? QUEUE);
  }
}
