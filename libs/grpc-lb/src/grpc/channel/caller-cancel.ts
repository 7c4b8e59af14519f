import { Channel, type ChannelCredentials, type ChannelOptions, status as Status } from '@grpc/grpc-js';
import { SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX } from '../experimental.js';

/** The channel option that tells a balancer that the channel watches cancellations. */
const WATCHED_OPTION = `${SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.grpc_lb_cancellations`;
/**
 * The details that grpc-js sets when the caller cancels. A server sends the same when it forwards the end of its own
 * call.
 */
const OWN_DETAILS = 'Cancelled on client';
/** The details that grpc-js sets when it cancels the other attempts of a hedged call (gRFC A6). */
const OVERTAKEN = 'Discarded in favor of other hedged attempt';

let cancelling = 0;

/**
 * Distinguishes a caller's own cancellations from those of a server, which have the same code: a call that the client
 * cancels ends inside `cancelWithStatus`, before it returns. Deadlines and cancelled parents end calls that way, too.
 */
export class WatchedChannel extends Channel {
  constructor(target: string, credentials: ChannelCredentials, options: ChannelOptions) {
    super(target, credentials, { ...options, [WATCHED_OPTION]: 1 });
  }

  override createCall(...args: Parameters<Channel['createCall']>): ReturnType<Channel['createCall']> {
    const call = super.createCall(...args);
    const cancelWithStatus = call.cancelWithStatus.bind(call);
    const cancel: typeof cancelWithStatus = (status, details) => {
      cancelling++;
      try {
        cancelWithStatus(status, details);
      } finally {
        cancelling--;
      }
    };
    call.cancelWithStatus = (status, details) => {
      cancel(status, details);
      // grpc-js 1.14 still sends a call that is canceled in the turn of its start, and its stream would stay open.
      setImmediate(() => cancel(status, details));
    };
    return call;
  }
}

/** Whether the caller cancelled a call that ends now. On a channel without watched cancellations the details decide. */
export function isCallersOwn(code: Status, details: string, options: ChannelOptions): boolean {
  if (code !== Status.CANCELLED) return false;
  return cancelling > 0 || details === OVERTAKEN || (!(WATCHED_OPTION in options) && details === OWN_DETAILS);
}
