import { type ChannelOptions, connectivityState, Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import type { Balancing } from '../../core/balancing/balancing.js';
import { Statuses } from '../call/statuses.js';
import type { ClientContext } from '../context/client-context.js';
import type { Connection } from '../endpoint/connection.js';
import { type ChannelControlHelper, type Picker, PickResultType } from '../experimental.js';
import { type PickContext, QUEUE } from './complete-pick.js';
import { BalancedPicker } from './picker.js';
import type { Publisher } from './publisher.js';
import { QueuedPicks } from './queued-picks.js';

/** Publishes to grpc-js, which makes the calls of the channel: a state and a picker. */
export class PickerPublisher implements Publisher {
  readonly #queuedPicks: QueuedPicks;
  readonly #statuses: Statuses;
  readonly #failures: PickContext['failures'] = new WeakMap();

  constructor(
    private readonly context: ClientContext,
    private readonly helper: ChannelControlHelper,
    channelOptions: ChannelOptions,
    /** Computes the route again and publishes it. */
    republish: () => void,
  ) {
    this.#queuedPicks = new QueuedPicks(context, republish);
    this.#statuses = new Statuses(channelOptions);
  }

  get pending(): number {
    return this.#queuedPicks.count;
  }

  released(): void {
    this.#queuedPicks.released();
  }

  close(): void {
    this.#queuedPicks.close();
  }

  publish(balancing: Balancing<Connection>): void {
    const { context, helper } = this;
    this.#statuses.failures = context.loadBalancing.ejection.failureCodes;
    this.#queuedPicks.published();
    const { condition } = balancing;
    if (condition.state === 'ready') {
      context.setState('ready');
      helper.updateState(connectivityState.READY, this.#pickerFor(balancing), null);
    } else if (condition.state === 'connecting') {
      context.setState('connecting');
      helper.updateState(connectivityState.CONNECTING, { pick: () => QUEUE }, null);
    } else if (condition.state === 'unavailable') this.fail(condition.reason);
  }

  fail(reason: string): void {
    const details = `client ${this.context.name}: ${reason}`;
    this.context.setState('transient_failure', reason);
    this.helper.updateState(connectivityState.TRANSIENT_FAILURE, unavailable(details), details);
  }

  #pickerFor(balancing: Balancing<Connection>): BalancedPicker {
    return new BalancedPicker(balancing, this.#queuedPicks, {
      failures: this.#failures,
      attempts: balancing.attempts,
      statuses: this.#statuses,
      onReportRejected: (address) => this.context.loadReportRejected(address),
    });
  }
}

/** Every call ends with UNAVAILABLE at once, or waits if it is waitForReady. */
function unavailable(details: string): Picker {
  const status: StatusObject = { code: Status.UNAVAILABLE, details, metadata: new Metadata() };
  const result = {
    pickResultType: PickResultType.TRANSIENT_FAILURE,
    subchannel: null,
    status,
    onCallStarted: null,
    onCallEnded: null,
  };
  return { pick: () => result };
}
