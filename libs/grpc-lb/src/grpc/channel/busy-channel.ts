import { type Channel, status as Status } from '@grpc/grpc-js';
import type { ActivityListener } from '../call/active-calls.js';

/**
 * Keeps grpc-js's channel from going idle while calls are in flight, if the user has set an idle timeout: a call that is
 * never started stands for all calls, since grpc-js does not see them.
 */
export class BusyChannel implements ActivityListener {
  #placeholder: ReturnType<Channel['createCall']> | undefined;

  constructor(private readonly channel: Channel) {}

  busy(): void {
    this.#placeholder = this.channel.createCall('/', Infinity, null, null, null);
  }

  free(): void {
    this.#placeholder?.cancelWithStatus(Status.CANCELLED, 'no call is in flight');
    this.#placeholder = undefined;
  }
}
