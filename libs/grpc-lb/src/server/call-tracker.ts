import {
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerInterceptingCall,
  status,
} from '@grpc/grpc-js';

/** How a call ends if its handler does not end it. */
export interface Ending {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

interface OpenCall {
  /** Whether the server answers with a stream, which may never end on its own. */
  readonly responseStream: boolean;
  end(ending: Ending): void;
}

/**
 * Failures that concern the server; not those that concern the request, nor cancellation by the caller. As in
 * OpenTelemetry's conventions for gRPC servers, plus RESOURCE_EXHAUSTED, with which a server refuses calls beyond its
 * capacity.
 */
const SERVER_FAULTS: ReadonlySet<status> = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** Watches of the server itself: neither load, nor work that a drain must wait for. */
const WATCHES = /^\/(grpc\.health\.|grpc\.reflection\.|xds\.service\.orca\.)/;

/** Knows every call of a server from its arrival to its end, and can end it. */
export class CallTracker {
  /** Calls to the application that have arrived and not ended, streams included. */
  inFlight = 0;
  /** Calls to the application that have ended. */
  ended = 0;
  /** Those of them that have failed through the server's fault. */
  errors = 0;
  readonly #calls = new Set<OpenCall>();
  readonly #watches = new Set<OpenCall>();

  constructor(
    /** Adds the load report to the end of every call. */
    private readonly trailer?: (metadata: Metadata | null | undefined) => Metadata,
    /** A call to the application has arrived. */
    private readonly arrived: () => void = () => {},
  ) {}

  /** The first of a server's interceptors is next to the wire: it sees the status that is sent. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const watch = WATCHES.test(method.path);
    let open = false;
    let cut = false;
    const close = (code: status): void => {
      if (!open) return;
      open = false;
      (watch ? this.#watches : this.#calls).delete(tracked);
      if (watch) return;
      this.inFlight--;
      this.ended++;
      if (SERVER_FAULTS.has(code)) this.errors++;
    };
    const tracked: OpenCall = {
      responseStream: method.responseStream,
      end: (ending) => {
        cut = true;
        close(ending.code);
        call.sendStatus(ending);
      },
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          // Not at `start`: if the stream of a call is gone by then, its end is never reported.
          onReceiveMetadata: (metadata, forward) => {
            open = true;
            (watch ? this.#watches : this.#calls).add(tracked);
            if (!watch) {
              this.inFlight++;
              this.arrived();
            }
            forward(metadata);
          },
          // Comes after every end. If no status was sent, the deadline has passed or the caller has canceled.
          onCancel: () => close(isDue(call) ? status.DEADLINE_EXCEEDED : status.CANCELLED),
        }),
      // A message after the end would break the stream before its trailer is out.
      sendMessage: (message, next) => {
        if (!cut) next(message);
      },
      sendStatus: (ending, next) => {
        close(ending.code);
        next(watch || !this.trailer ? ending : { ...ending, metadata: this.trailer(ending.metadata) });
      },
    });
  };

  /** Ends the watches of the server's health, load and reflection. */
  endWatches(ending: Ending): void {
    for (const call of this.#watches) call.end(ending);
  }

  /** Ends the response streams, or all calls; returns how many. */
  endCalls(kind: 'streams' | 'all', ending: Ending): number {
    const calls = [...this.#calls].filter(({ responseStream }) => kind === 'all' || responseStream);
    for (const call of calls) call.end(ending);
    return calls.length;
  }
}

/** A client whose deadline passes cancels the call, which may come here just before the server's own timer. */
const DEADLINE_TOLERANCE_MS = 20;

function isDue(call: ServerInterceptingCallInterface): boolean {
  return Number(call.getDeadline()) - DEADLINE_TOLERANCE_MS <= Date.now();
}
