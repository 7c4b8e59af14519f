import { Metadata, type Server, status } from '@grpc/grpc-js';
import type { CallTracker } from './call-tracker.js';
import type { Ending } from './ending.js';
import type { GrpcDrainOptions } from './options.js';

/** What happened to the calls during a drain. */
export interface GrpcDrainReport {
  /** Milliseconds from NOT_SERVING to the end of the last connection. */
  readonly duration: number;
  /** Calls that ended on their own after NOT_SERVING. */
  readonly finished: number;
  /** Response streams that were ended with UNAVAILABLE after `streamGrace`. */
  readonly streamsMoved: number;
  /** Calls that were ended with UNAVAILABLE after `timeout`. */
  readonly cut: number;
}

export interface Drained {
  readonly servers: readonly Server[];
  readonly calls: CallTracker;
  /** Called first: clients must stop sending new calls. */
  tellNotServing(): void;
  /** Called with the GOAWAY: streams should move now. */
  tellStreams(): void;
}

/** Trailer key of calls that the drain has ended, so that a client can recognize them. */
export const DRAINING_KEY = 'grpc-server-draining';

/**
 * Shuts down without losing a call: NOT_SERVING, time for clients to see it, GOAWAY, and the end of running calls. Only
 * calls that exceed their time are ended, with UNAVAILABLE: grpc-js would reset them, which a client sees as CANCELLED
 * and does not retry.
 */
export async function drain(drained: Drained, options: Required<GrpcDrainOptions>): Promise<GrpcDrainReport> {
  const { servers, calls } = drained;
  const started = performance.now();
  const endedBefore = calls.ended;
  drained.tellNotServing();
  await after(options.delay).done;

  const closed = Promise.all(servers.map(shutDown));
  drained.tellStreams();
  calls.endWatches(ending('the server is draining'));

  let streamsMoved = 0;
  const grace = after(options.streamGrace, () => {
    streamsMoved = calls.endCalls('streams', ending('the server is draining: open the stream again'));
  });
  let cut = 0;
  const timeout = after(options.timeout, () => {
    cut = calls.endCalls('all', ending('the server has shut down'));
  });
  // Time to write the trailers. A client that does not read them does not delay the server.
  const force = after(options.timeout + FLUSH_MS, () => servers.forEach((server) => server.forceShutdown()));
  // Without channelz `forceShutdown` forgets the connections (grpc-js 1.14); the drain is over anyway.
  const bound = after(options.timeout + 2 * FLUSH_MS);
  await Promise.race([closed, bound.done]);
  for (const timer of [grace, timeout, force, bound]) timer.cancel();
  const finished = calls.ended - endedBefore - streamsMoved - cut;
  return { duration: Math.round(performance.now() - started), finished, streamsMoved, cut };
}

const FLUSH_MS = 100;

/** Sends a GOAWAY on every connection; resolves when the last has closed. */
function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => server.tryShutdown(() => resolve()));
}

function ending(details: string): Ending {
  const metadata = new Metadata();
  metadata.set(DRAINING_KEY, 'true');
  return { code: status.UNAVAILABLE, details, metadata };
}

interface Timer {
  readonly done: Promise<void>;
  cancel(): void;
}

function after(delay: number, action: () => void = () => {}): Timer {
  let handle!: NodeJS.Timeout;
  const done = new Promise<void>((resolve) => {
    handle = setTimeout(() => {
      action();
      resolve();
    }, delay);
  });
  return { done, cancel: () => clearTimeout(handle) };
}
