import { Channel, status as Status } from '@grpc/grpc-js';

/** What grpc-js says itself when the caller cancels, also on a channel that is not made here. */
const OWN_DETAILS = 'Cancelled on client';

let cancelling = 0;

/**
 * Tells a caller's own cancellations from those of a server, which end with the same code: a call that this side cancels
 * ends within `cancelWithStatus`, before it returns. That is how deadlines and cancelled parents end calls, too.
 */
export class WatchedChannel extends Channel {
  override createCall(...args: Parameters<Channel['createCall']>): ReturnType<Channel['createCall']> {
    const call = super.createCall(...args);
    const cancelWithStatus = call.cancelWithStatus.bind(call);
    call.cancelWithStatus = (status, details) => {
      cancelling++;
      try {
        cancelWithStatus(status, details);
      } finally {
        cancelling--;
      }
    };
    return call;
  }
}

/** Whether a call that ends just now was cancelled by its caller. */
export function isCallersOwn(code: Status, details: string): boolean {
  return code === Status.CANCELLED && (cancelling > 0 || details === OWN_DETAILS);
}
