import { type ChannelOptions, status as Status } from '@grpc/grpc-js';
import type { EndedBy } from '../../core/balancing/calls/attempt.js';
import type { ResultKind } from '../../core/balancing/health/recent-results.js';
import type { FailureStatus } from '../../core/options/status-names.js';
import { isCallersOwn } from '../channel/caller-cancel.js';

/** Interprets the status of a call as a result of its endpoint. */
export class Statuses {
  #failureNames: readonly FailureStatus[] = [];
  #failureCodes: ReadonlySet<number> = new Set();

  /** @param channelOptions The options of the channel, which show whether its cancellations are watched. */
  constructor(private readonly channelOptions: ChannelOptions) {}

  set failures(names: readonly FailureStatus[]) {
    if (names === this.#failureNames) return;
    this.#failureNames = names;
    this.#failureCodes = new Set(names.map((name) => Status[name]));
  }

  kindOf(code: Status): ResultKind {
    if (code === Status.OK) return 'ok';
    if (!this.#failureCodes.has(code)) return 'refused';
    return code === Status.DEADLINE_EXCEEDED ? 'timed_out' : 'failed';
  }

  endedBy(code: Status, details: string): EndedBy {
    if (code === Status.DEADLINE_EXCEEDED) return 'deadline';
    if (code === Status.CANCELLED) return isCallersOwn(code, details, this.channelOptions) ? 'caller' : 'unknown';
    // The client creates the other codes as well, so they may come from either side.
    return code < Status.RESOURCE_EXHAUSTED ? 'peer' : 'unknown';
  }
}
