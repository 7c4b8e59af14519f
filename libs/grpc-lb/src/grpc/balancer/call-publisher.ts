import { connectivityState } from '@grpc/grpc-js';
import type { Balancing } from '../../core/balancing/balancing.js';
import { type Open, Picker } from '../../core/balancing/calls/picker.js';
import type { CallDispatcher, PlaceableCall } from '../call/call-dispatcher.js';
import { WireAttempt } from '../call/wire-attempt.js';
import type { ClientContext } from '../context/client-context.js';
import type { Connection } from '../endpoint/connection.js';
import type { ChannelControlHelper, Picker as GrpcPicker } from '../experimental.js';
import { QUEUE } from './complete-pick.js';
import type { Publisher } from './publisher.js';

/** grpc-js makes no calls on such a channel. */
const NO_CALLS: GrpcPicker = { pick: () => QUEUE };

/** Publishes to the calls of this package; grpc-js only gets the state, for those who watch the channel. */
export class CallPublisher implements Publisher {
  constructor(
    private readonly context: ClientContext,
    private readonly helper: ChannelControlHelper,
    private readonly dispatcher: CallDispatcher,
  ) {}

  get pending(): number {
    return this.dispatcher.pending;
  }

  publish(balancing: Balancing<Connection>): void {
    const { context, dispatcher } = this;
    const { condition } = balancing;
    switch (condition.state) {
      case 'ready':
        context.setState('ready');
        dispatcher.ready(new Picker(balancing, openOn(balancing)), balancing.policies);
        // Unless a call that was pending has shown that its connection has ended: that has published the next state.
        if (context.state === 'ready') this.helper.updateState(connectivityState.READY, NO_CALLS, null);
        return;
      case 'connecting':
        context.setState('connecting');
        dispatcher.waiting();
        return this.helper.updateState(connectivityState.CONNECTING, NO_CALLS, null);
      case 'unavailable':
        return this.fail(condition.reason);
      case 'empty':
      // Discovery knows why.
    }
  }

  fail(reason: string): void {
    const details = `client ${this.context.name}: ${reason}`;
    this.context.setState('transient_failure', reason);
    this.dispatcher.failed(details);
    this.helper.updateState(connectivityState.TRANSIENT_FAILURE, NO_CALLS, details);
  }

  released(): void {
    this.dispatcher.released();
  }

  close(): void {
    this.dispatcher.idle();
  }
}

function openOn({ attempts }: Balancing<Connection>): Open<Connection, WireAttempt, PlaceableCall> {
  return (member, connection, call, policy) => new WireAttempt(attempts, member, connection, call, policy);
}
