import { AsyncResource } from 'node:async_hooks';
import {
  Metadata,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerInterceptingCall,
  status,
} from '@grpc/grpc-js';
import type { Admission } from './admission.js';
import { AgingStream } from './aging-stream.js';
import { DueQueue } from './due-queue.js';
import { FailureRun } from './failure-run.js';
import { ResponseSizes } from './message-sizes.js';
import { type EndMark, ObservedCall } from './observed-call.js';
import type { OpenCall } from './open-call.js';
import type { Refusal } from './refusal.js';
import { LATER } from './shedder.js';
import type { Registration } from './registration.js';
import { RecentDuration } from './recent-duration.js';
import { ServerObservers } from './server-observers.js';
import { ServedCall } from './served-call.js';
import { withoutSignals } from './passed-on.js';
import { sendableMetadata } from './sendable-metadata.js';
import { sendableStatus } from './sendable-status.js';
import { isOwnService } from './service-names.js';
import { StreamCall } from './stream-call.js';
import { type Ending, STREAM_MAX_AGE_KEY } from './stream-end.js';
import { unansweredEnd } from './unanswered-end.js';

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

/** Their callers no longer wait for such calls. */
const GIVEN_UP: ReadonlySet<status> = new Set([status.CANCELLED, status.DEADLINE_EXCEEDED]);

/** How streams age. */
export interface StreamAging {
  readonly queue: DueQueue;
  /** The age at which a new stream ends, in milliseconds; false for never. */
  drawAge(path: string): number | false;
  /** Milliseconds that it may continue after that. */
  readonly grace: number;
}

const AGELESS: StreamAging = { queue: new DueQueue(), drawAge: () => false, grace: 0 };

/** Knows every call of a server from its arrival to its end, and can end it. */
export class CallTracker {
  /** Calls to the application that have arrived, were not refused, and have not ended, streams included. */
  inFlight = 0;
  /** Calls to the application that have ended. */
  ended = 0;
  /** Those of them that have failed through the server's fault; not streams that end at their maximum age. */
  errors = 0;
  /** Streams that their clients have left. */
  streamsLeft = 0;
  readonly failureRun = new FailureRun();
  readonly duration = new RecentDuration();
  /** When the last of them ended, by `performance.now()`. */
  lastEnd = performance.now();

  /** Calls to the application that were shed; they do not count as ended. */
  get shed(): number {
    return this.admission.shedder?.total ?? 0;
  }

  readonly observers = new ServerObservers();
  readonly registration: Registration = { sizes: new ResponseSizes(), instrumented: new Set() };
  readonly #calls = new Set<OpenCall>();
  /** Calls to the server's own services: neither load, nor work that a drain must wait for. */
  readonly #watches = new Set<OpenCall>();

  constructor(
    /** Decides which calls get a handler. */
    private readonly admission: Admission,
    /** Adds what the server says of itself to the end of every call; undefined if it says nothing. */
    public trailer?: (metadata: Metadata | null | undefined) => Metadata,
    /** A call to the application has arrived. */
    private readonly arrived: () => void = () => {},
    private readonly aging: StreamAging = AGELESS,
  ) {}

  /** The first of a server's interceptors is next to the wire: it sees the status that is sent. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const watch = isOwnService(method.path);
    const observed = watch ? undefined : this.#observed(method.path, call);
    const { admission } = this;
    const { shedder } = admission;
    const streaming = method.requestStream || method.responseStream;
    const singleResponse = !method.responseStream;
    const maxAge = streaming && !watch && this.aging.drawAge(method.path);
    let served: ServedCall | undefined;
    let age: AgingStream | undefined;
    let arrivedAt = 0;
    let open = false;
    /** The end has been sent; what the handler sends after that is dropped. */
    let over = false;
    let gone = false;
    /** A call that is not a stream is worked on until it is answered: its answer may be written much later. */
    let working = false;
    const worked = (): void => {
      if (!working) return;
      working = false;
      shedder!.ended();
    };
    const close = (code: status, details = '', mark?: EndMark): void => {
      if (!open) return;
      open = false;
      (watch ? this.#watches : this.#calls).delete(tracked);
      if (watch) return;
      this.inFlight--;
      worked();
      this.ended++;
      this.lastEnd = performance.now();
      const unreadable = mark?.unreadable === true;
      const failed = SERVER_FAULTS.has(code) && mark?.streamEnd === undefined && !unreadable;
      if (failed) this.errors++;
      // The caller may leave or send nonsense whatever the server does, and a call that is refused shows nothing about
      // the handlers.
      if (code !== status.CANCELLED && mark?.refused === undefined && !unreadable) this.failureRun.ended(failed);
      if (!streaming) {
        const took = this.lastEnd - arrivedAt;
        if (code === status.OK) this.duration.record(took);
        else if (GIVEN_UP.has(code) && mark?.refused === undefined) this.duration.recordAtLeast(took);
      }
      if (code === status.OK && singleResponse) admission.succeeded(method.path, arrivedAt);
      if (streaming && code === status.CANCELLED) this.streamsLeft++;
      age?.closed();
      observed?.ended(code, details, mark);
    };
    const observe = (part: () => void): void => {
      if (observed) observed.run(part);
      else part();
    };
    /** Runs a part of the handler. */
    const run = (part: () => void): void => {
      if (served) served.run(() => observe(part));
      else observe(part);
    };
    /** Ends it before its handler has started. */
    const refuse = (refusal: Refusal): void => {
      over = true;
      close(refusal.code, refusal.details, { refused: refusal.reason });
      call.sendStatus(this.trailer ? { ...refusal, metadata: this.trailer(refusal.metadata) } : refusal);
    };
    /** Ends it while its handler runs. */
    const end = (ending: Ending): void => {
      over = true;
      close(ending.code, ending.details, ending);
      served?.cancel();
      call.sendStatus(ending);
      if (intercepting instanceof StreamCall) intercepting.cancelHandler();
    };
    const tracked: OpenCall = {
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      end: (ending) => {
        if (!open) return false;
        end(ending);
        return true;
      },
    };
    // The first listener of the chain: the request has not been read.
    const receive = (
      metadata: Metadata,
      forward: (metadata: Metadata) => void,
      decided?: { readonly refusal: Refusal | undefined },
    ): void => {
      if (watch) {
        open = true;
        this.#watches.add(tracked);
        return forward(metadata);
      }
      // Postponed calls run in another turn than that of their arrival.
      this.arrived();
      if (!decided) {
        arrivedAt = performance.now();
        observed?.started(metadata);
      }
      const refusal = decided ? decided.refusal : admission.onArrival(method.path, call, metadata);
      if (refusal === LATER) {
        // The first call of the turn decides upon all of them, in a context that is not theirs.
        const decide = (later: Refusal | undefined): void => receive(metadata, forward, { refusal: later });
        return admission.postpone(metadata, AsyncResource.bind(decide));
      }
      if (gone) {
        const { code, details, mark } = unansweredEnd(call);
        return observed?.ended(code, details, mark);
      }
      if (refusal) {
        observed?.ended(refusal.code, refusal.details, { refused: refusal.reason });
        return refuse(refusal);
      }
      open = true;
      this.#calls.add(tracked);
      this.inFlight++;
      if (shedder && !streaming) {
        working = true;
        shedder.started();
      }
      if (maxAge !== false) age = new AgingStream(call, tracked, this.aging.queue, maxAge + this.aging.grace);
      served = admission.served(call, metadata);
      // The handler of a stream of requests starts here, that of one request when it is complete.
      if (method.requestStream) run(() => forward(metadata));
      else observe(() => forward(metadata));
    };
    // Only a stream needs to be canceled before its end has been sent.
    const Intercepting = streaming ? StreamCall : ServerInterceptingCall;
    const intercepting = new Intercepting(call, {
      start: (next) =>
        next({
          // Not at `start`: if the stream of a call is gone by then, its end is never reported.
          onReceiveMetadata: (metadata, forward) => receive(metadata, forward),
          ...((method.requestStream || observed) && {
            onReceiveMessage: (message: unknown, forward: (message: unknown) => void) => {
              if (method.requestStream) run(() => forward(message));
              else observe(() => forward(message));
            },
          }),
          ...(!watch && {
            onReceiveHalfClose: (forward: () => void) => {
              const refusal = method.requestStream ? undefined : admission.beforeHandler(call);
              if (refusal) refuse(refusal);
              else run(forward);
            },
          }),
          // Comes after every end.
          onCancel: () => {
            gone = true;
            if (open) {
              const { code, details, mark } = unansweredEnd(call);
              close(code, details, mark);
            }
            served?.cancel();
            age?.gone();
          },
        }),
      // Comes before the first message, too.
      sendMetadata: (given, next) => {
        if (over) return;
        const own = sendableMetadata(given);
        if (typeof own === 'string')
          return end({ code: status.INTERNAL, details: own, metadata: this.trailer?.(null) ?? new Metadata() });
        if (maxAge === false) return next(own ?? new Metadata());
        const headers = own?.clone() ?? new Metadata();
        headers.set(STREAM_MAX_AGE_KEY, String(maxAge));
        next(headers);
      },
      // A message after the end would break the stream before its trailer is out.
      sendMessage: (message, next) => {
        if (singleResponse) {
          worked();
          served?.answered();
        }
        if (over) return;
        if (observed) observed.send(() => next(message));
        else next(message);
      },
      sendStatus: (given, next) => {
        served?.answered();
        // Of a handler that has noticed its cancellation.
        if (over) return;
        over = true;
        const ending = sendableStatus(given);
        close(ending.code, ending.details);
        if (watch) return next(ending);
        const metadata = ending.code === status.OK ? ending.metadata : withoutSignals(ending.metadata);
        if (this.trailer) next({ ...ending, metadata: this.trailer(metadata) });
        else next(metadata === ending.metadata ? ending : { ...ending, metadata });
      },
    });
    return intercepting;
  };

  #observed(path: string, call: ServerInterceptingCallInterface): ObservedCall | undefined {
    const observer = this.observers.all;
    if (observer === undefined) return undefined;
    const { sizes, instrumented } = this.registration;
    return new ObservedCall(observer, call, sizes, path, instrumented.has(path));
  }

  /** Ends the watches of the server's health, load and reflection. */
  endWatches(ending: Ending): void {
    for (const call of this.#watches) call.end(ending);
  }

  /** The calls to the application that have not ended. */
  open(): OpenCall[] {
    return [...this.#calls];
  }
}
