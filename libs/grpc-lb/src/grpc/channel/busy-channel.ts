import { type Channel, status as Status } from '@grpc/grpc-js';
import type { ClientCall } from '../call/client-call.js';

/**
 * Keeps grpc-js's channel from going idle while calls are in flight, if the user has set an idle timeout: a call that is
 * never started stands for all calls, since grpc-js does not see them.
 */
export class BusyChannel {
  #calls = 0;
  #placeholder: ReturnType<Channel['createCall']> | undefined;

  constructor(private readonly channel: Channel) {}

  callStarted(call: ClientCall): void {
    if (this.#calls++ === 0) this.#placeholder = this.channel.createCall('/', Infinity, null, null, null);
    call.onEnd = () => {
      if (--this.#calls > 0) return;
      this.#placeholder?.cancelWithStatus(Status.CANCELLED, 'no call is in flight');
      this.#placeholder = undefined;
    };
  }
}
