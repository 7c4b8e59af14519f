import { Channel, type ChannelCredentials, type ChannelOptions, status as Status } from '@grpc/grpc-js';
import { SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX } from '../experimental.js';

/** The channel option that tells the balancer of a channel that its cancellations are watched. */
const WATCHED_OPTION = `${SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.grpc_lb_cancellations`;
/** What grpc-js says when the caller cancels. A server says the same where it hands on what happened to its own call. */
const OWN_DETAILS = 'Cancelled on client';
/** What grpc-js says of the attempts of a hedged call (gRFC A6) that another one has overtaken. It cancels them itself. */
const OVERTAKEN = 'Discarded in favor of other hedged attempt';

let cancelling = 0;

/**
 * Tells a caller's own cancellations from those of a server, which end with the same code: a call that this side cancels
 * ends within `cancelWithStatus`, before it returns. That is how deadlines and cancelled parents end calls, too.
 */
export class WatchedChannel extends Channel {
  constructor(target: string, credentials: ChannelCredentials, options: ChannelOptions) {
    super(target, credentials, { ...options, [WATCHED_OPTION]: 1 });
  }

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

/** Whether a call that ends just now was cancelled by its caller. On a channel that is not made here the details decide. */
export function isCallersOwn(code: Status, details: string, options: ChannelOptions): boolean {
  if (code !== Status.CANCELLED) return false;
  return cancelling > 0 || details === OVERTAKEN || (!(WATCHED_OPTION in options) && details === OWN_DETAILS);
}
