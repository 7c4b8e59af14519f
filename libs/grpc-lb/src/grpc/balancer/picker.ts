import { type Open, Picker, type PickerSource } from '../../core/balancing/calls/picker.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import { hashKeyOf } from '../call/hash-key.js';
import type { Connection } from '../endpoint/connection.js';
import type { PickArgs, Picker as GrpcPicker, PickResult } from '../experimental.js';
import { CompletePick, type PickContext, QUEUE } from './complete-pick.js';
import { callOf } from './config-selector.js';
import type { QueuedPicks } from './queued-picks.js';

/** A grpc-js picker that applies a balancer's decisions. */
export class BalancedPicker implements GrpcPicker {
  readonly #picker: Picker<Connection, CompletePick, object>;
  readonly #policies: PolicySet;

  constructor(
    source: PickerSource<Connection>,
    private readonly queuedPicks: QueuedPicks,
    private readonly context: PickContext,
  ) {
    this.#policies = source.policies;
    const open: Open<Connection, CompletePick, object> = (member, connection, token, policy) =>
      new CompletePick(context, member, connection, token, policy);
    this.#picker = new Picker(source, open);
  }

  /** Returns an attempt on a connection with room; otherwise the call waits, and a new connection is opened. */
  pick({ extraPickInfo: token, metadata }: PickArgs): PickResult {
    const { queuedPicks } = this;
    // First come, first served: pending calls precede a new one.
    if (queuedPicks.count > 0) return queuedPicks.wait(this.#picker.pickable);
    let call = callOf(token);
    const policy = this.#policies.for(call);
    if (policy.keyedBy !== undefined) call = { ...call, hashKey: hashKeyOf(policy.keyedBy, metadata) };
    const visits = this.context.failures.get(token);
    const picked = this.#picker.pick(token, call, policy, queuedPicks.full, visits);
    if (picked === 'full') return queuedPicks.wait(this.#picker.pickable);
    return typeof picked === 'string' ? QUEUE : picked;
  }
}
