import { Metadata, status } from '@grpc/grpc-js';
import type { Refusal, SheddingReason } from './refusal.js';

/** Trailer key of calls that were shed: the server has not processed them. Its value says why. */
export const SHED_KEY = 'grpc-lb-shed';

/** How long a client waits before it tries a call again (gRFC A6). */
export const PUSHBACK_KEY = 'grpc-retry-pushback-ms';

/** How often a call has been tried before (gRFC A6); a client sets it. */
const PREVIOUS_ATTEMPTS = 'grpc-previous-rpc-attempts';

/** How a call ends that is shed. */
export function shedStatus(metadata: Metadata, reason: SheddingReason): Refusal {
  return (metadata.get(PREVIOUS_ATTEMPTS).length > 0 ? AGAIN : FIRST)[reason];
}

/** The same for each call: grpc-js copies the metadata. */
function refusals(pushback: string): Readonly<Record<SheddingReason, Refusal>> {
  const refusal = (reason: SheddingReason, details: string): Refusal => {
    const metadata = new Metadata();
    metadata.set(SHED_KEY, reason);
    metadata.set(PUSHBACK_KEY, pushback);
    return { code: status.UNAVAILABLE, details, metadata, reason };
  };
  return {
    event_loop_delay: refusal(
      'event_loop_delay',
      'The server sheds load: its event loop is late; it has not processed the call',
    ),
    concurrency: refusal(
      'concurrency',
      'The server sheds load: it works on too many calls; it has not processed the call',
    ),
  };
}

/** The first attempt of a call: it goes elsewhere at once. */
const FIRST = refusals('0');
/** It has been elsewhere. "If the value for pushback is negative ..., an instruction to not retry at all" (gRFC A6). */
const AGAIN = refusals('-1');
