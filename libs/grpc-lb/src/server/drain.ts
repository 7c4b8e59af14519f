import type { Server } from '@grpc/grpc-js';
import type { Random } from '../core/random.js';
import type { CallTracker } from './call-tracker.js';
import { shutDown } from './goaway.js';
import type { OpenCall } from './open-call.js';
import type { GrpcDrainOptions } from './options.js';
import { type Staggered, staggered } from './staggered.js';
import { DRAINING_KEY, ending, streamEnding } from './stream-end.js';

/** What happened to the calls during a drain. */
export interface GrpcDrainReport {
  /** Milliseconds from NOT_SERVING to the end of the last connection. */
  readonly duration: number;
  /** Calls that ended on their own after NOT_SERVING. */
  readonly finished: number;
  /** Streams that their clients left after NOT_SERVING, because they moved or gave up. */
  readonly streamsLeft: number;
  /** Streams that the server ended with UNAVAILABLE after `streamGrace`, so that their clients move. */
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

const TRAILER = { [DRAINING_KEY]: 'true' };
const MOVE = streamEnding('drain', 'the server is draining: open the stream again', TRAILER);
const GONE = ending('the server has shut down', TRAILER);
const STREAM_GONE = streamEnding('drain', GONE.details, TRAILER);

/**
 * Shuts down without losing a call: NOT_SERVING, time for clients to see it, GOAWAY, and the end of running calls. Only
 * calls that exceed their time are ended, with UNAVAILABLE: grpc-js would reset them, which a client sees as CANCELLED
 * and does not retry.
 */
export async function drain(
  drained: Drained,
  options: Required<GrpcDrainOptions>,
  random: Random = Math.random,
): Promise<GrpcDrainReport> {
  const { servers, calls } = drained;
  const { streamGrace, streamSpread, timeout } = options;
  const started = performance.now();
  const [endedBefore, leftBefore] = [calls.ended, calls.streamsLeft];
  drained.tellNotServing();
  await after(options.delay).done;

  const goaway = performance.now();
  const left = (limit: number): number => Math.max(0, goaway + limit - performance.now());
  const closed = Promise.all(servers.map(shutDown));
  drained.tellStreams();
  calls.endWatches(ending('the server is draining', TRAILER));

  let streamsMoved = 0;
  const moving: Staggered[] = [];
  const move = (which: (call: OpenCall) => boolean, begin: (spread: number) => number): void => {
    const streams = calls.open().filter(which);
    const duration = Math.min(streamSpread, streams.length * MIN_STEP_MS, left(timeout));
    const end = (stream: OpenCall): void => void (stream.end(MOVE) && streamsMoved++);
    moving.push(staggered(streams, { delay: begin(duration), duration }, end, random));
  };
  const grace = after(left(streamGrace), () => move(isResponseStream, () => 0));
  // What a client sends may be lost with its stream, so it has all the time there is.
  const latest = timeout - FLUSH_MS;
  const last = after(left(latest - streamSpread), () => move(isRequestStream, (spread) => left(latest - spread)));
  let cut = 0;
  const end = after(left(timeout), () => {
    for (const call of calls.open()) if (call.end(isStream(call) ? STREAM_GONE : GONE)) cut++;
  });
  // Time to write the trailers. A client that does not read them does not delay the server.
  const force = after(left(timeout + FLUSH_MS), () => servers.forEach((server) => server.forceShutdown()));
  // Without channelz `forceShutdown` forgets the connections (grpc-js 1.14); the drain is over anyway.
  const bound = after(left(timeout + 2 * FLUSH_MS));
  await Promise.race([closed, bound.done]);
  for (const each of [grace, last, end, force, bound, ...moving]) each.cancel();
  const streamsLeft = calls.streamsLeft - leftBefore;
  const finished = calls.ended - endedBefore - streamsMoved - streamsLeft - cut;
  return { duration: Math.round(performance.now() - started), finished, streamsLeft, streamsMoved, cut };
}

const FLUSH_MS = 100;
/** Fewer streams need less than `streamSpread`: a hundred a second are no herd. */
const MIN_STEP_MS = 10;

function isResponseStream({ responseStream }: OpenCall): boolean {
  return responseStream;
}

function isRequestStream({ requestStream, responseStream }: OpenCall): boolean {
  return requestStream && !responseStream;
}

function isStream({ requestStream, responseStream }: OpenCall): boolean {
  return requestStream || responseStream;
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
