import v8 from 'node:v8';
import { ClientCall } from '../../libs/grpc-lb/src/grpc/call/client-call.js';
import { WireAttempt } from '../../libs/grpc-lb/src/grpc/call/wire-attempt.js';
import type { CallSoak } from '../../test/support/calls/soak.js';
import { type Census, takeCensus } from './census.js';

/** What this process holds, and what of it belongs to calls. */
export interface CallCensus extends Census {
  /** Calls whose caller has not been told of their end. */
  readonly running: number;
  /** In the ledgers and queues of the clients. */
  readonly inFlight: number;
  /** HTTP/2 streams that clients have opened. */
  readonly clientStreams: number;
  /** The same as servers see them. */
  readonly serverStreams: number;
  /** On signals and parent calls that outlive the calls. */
  readonly callListeners: number;
  /** Calls in memory. */
  readonly calls: number;
  /** Attempts in memory. */
  readonly attempts: number;
}

export async function takeCallCensus({ calls, streams, inFlight }: CallSoak): Promise<CallCensus> {
  const census = await takeCensus();
  const living = (type: unknown): number => v8.queryObjects(type as () => unknown) as number;
  return {
    ...census,
    running: calls.running,
    inFlight,
    clientStreams: streams.ofClients,
    serverStreams: streams.ofServers,
    callListeners: calls.listeners,
    calls: living(ClientCall),
    attempts: living(WireAttempt),
  };
}
