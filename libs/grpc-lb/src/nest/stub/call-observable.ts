import { AsyncResource } from 'node:async_hooks';
import { type Client, Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { Observable, type Subscriber } from 'rxjs';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { NO_METADATA } from '../../grpc/call/attempt-headers.js';
import { type CallArguments, callArguments, isIntercepted, kindOf } from './call-arguments.js';
import { OpenCall } from './open-calls.js';
import { isRequestStream, type Writable, writeRequests } from './request-stream.js';
import { aborted } from './service-error.js';
import { ServerStreamCall, UnaryCall } from './direct-call.js';
import { InterceptedCall } from './intercepted-call.js';
import type { CallTarget, DirectWay, SubscribedCall } from './subscribed-call.js';

/** The metadata, with the policy's key of the request. */
export type Keyed = (request: unknown, metadata: Metadata) => Metadata;

/** What the calls of one method need. */
export interface MethodCaller extends Pick<CallTarget, 'method' | 'openCalls'> {
  /** For errors, as in `client ORDERS, Orders/Find`. */
  readonly subject: string;
  readonly client: Client;
  /** How to make calls without grpc-js's client; undefined if they must go through it. */
  readonly direct: DirectWay | undefined;
  readonly keyed?: Keyed;
}

/**
 * One method of a service in Nest's form: a function that returns a cold Observable. Unsubscribing cancels the call; an
 * error is the ServiceError of grpc-js.
 */
export function callObservable(caller: MethodCaller): (request: unknown, ...rest: unknown[]) => Observable<unknown> {
  const { subject, method, openCalls, direct, keyed = (_request, metadata) => metadata } = caller;
  const target = direct && { ...direct, method, openCalls };
  const DirectCall = target && directClass(target);
  const start = method.responseStream ? startStreaming : startSingle;
  return (request, first, second) =>
    new Observable((subscriber) => {
      if (method.requestStream && !isRequestStream(request)) {
        throw new GrpcLbArgumentError(
          `${subject}: request is ${kindOf(request)}, but the method takes a stream of requests; pass an Observable or an (async) iterable`,
        );
      }
      const args = callArguments(subject, first, second);
      if (args.signal?.aborted) return subscriber.error(aborted(args.signal));
      // Keys come from single requests only.
      const metadata = keyed(method.requestStream ? undefined : request, args.metadata);
      const keyedArgs = metadata === args.metadata ? args : { ...args, metadata };
      if (target && DirectCall && !isIntercepted(args))
        return startDirectly(new DirectCall(target, keyedArgs, subscriber), request);
      const outcome = new Outcome(subscriber);
      const started = start(caller, request, keyedArgs, outcome);
      outcome.scope = started.scope;
      openCalls.add(outcome);
      const unwatch = args.signal && giveUpOnAbort(args.signal, outcome);
      return () => {
        openCalls.delete(outcome);
        unwatch?.();
        started.stopRequests?.();
        if (!outcome.ended) started.call.cancel();
      };
    });
}

type DirectClass = new (...args: ConstructorParameters<typeof UnaryCall>) => SubscribedCall;

/** The class of the calls that are made without grpc-js's client; undefined if it must make them. */
function directClass({ interceptors, method }: CallTarget): DirectClass | undefined {
  const { requestStream, responseStream } = method;
  if (requestStream || (responseStream && interceptors.length > 0)) return undefined;
  if (interceptors.length > 0) return InterceptedCall;
  return responseStream ? ServerStreamCall : UnaryCall;
}

/** Starts a call; returns what ends it. RxJS gets nothing to unsubscribe from if that throws, as an interceptor may. */
function startDirectly(call: SubscribedCall, request: unknown): SubscribedCall {
  try {
    call.start(request);
  } catch (error) {
    call.unsubscribe();
    throw error;
  }
  return call;
}

/** Passes on the results of the call, and remembers whether it has ended. */
class Outcome extends OpenCall {
  ended = false;
  /** The async context in which it was subscribed; undefined while the call starts in it. */
  scope: AsyncResource | undefined;

  constructor(private readonly subscriber: Subscriber<unknown>) {
    super();
  }

  next(response: unknown): void {
    this.subscriber.next(response);
  }

  /** The call has ended with this status. */
  error(error: ServiceError): void {
    this.ended = true;
    this.subscriber.error(error);
  }

  complete(): void {
    this.ended = true;
    this.subscriber.complete();
  }

  /** The caller failed or gave up: the call still runs, and the teardown cancels it. */
  giveUp(error: unknown): void {
    // What aborts the call, or closes the client, runs in another context.
    if (this.scope) this.scope.runInAsyncScope(() => this.subscriber.error(error));
    else this.subscriber.error(error);
  }
}

interface RunningCall {
  readonly call: { cancel(): void };
  /** The async context of the call. */
  readonly scope: AsyncResource;
  readonly stopRequests?: () => void;
}

function giveUpOnAbort(signal: AbortSignal, outcome: Outcome): () => void {
  const abort = (): void => outcome.giveUp(aborted(signal));
  signal.addEventListener('abort', abort, { once: true });
  // Requests that arrive at once may have aborted it already.
  if (signal.aborted) abort();
  return () => signal.removeEventListener('abort', abort);
}

type Start = (caller: MethodCaller, request: unknown, args: CallArguments, outcome: Outcome) => RunningCall;

/** Unary and client-streaming calls. */
const startSingle: Start = ({ client, method }, request, args, outcome) => {
  const { path, requestSerialize, responseDeserialize } = method;
  const { options } = args;
  const metadata = ownMetadata(args);
  let end = (): void => {};
  const done = (error: ServiceError | null, response?: unknown): void => {
    end = () => {
      if (error) return outcome.error(error);
      outcome.next(response);
      outcome.complete();
    };
  };
  const call = method.requestStream
    ? client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, metadata, options, done)
    : client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, done);
  listen(call, args);
  // grpc-js emits the status right after the callback.
  call.on('status', () => end());
  return running(call, request, outcome);
};

/** Server-streaming and bidirectional calls. */
const startStreaming: Start = ({ client, method }, request, args, outcome) => {
  const { path, requestSerialize, responseDeserialize } = method;
  const { options } = args;
  const metadata = ownMetadata(args);
  const call = method.requestStream
    ? client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, options)
    : client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata, options);
  listen(call, args);
  readResponses(call, outcome);
  return running(call, request, outcome);
};

/** grpc-js and interceptors may change it. */
function ownMetadata({ metadata }: CallArguments): Metadata {
  return metadata === NO_METADATA ? new Metadata() : metadata;
}

function running(
  call: { cancel(): void } | (Writable & { cancel(): void }),
  request: unknown,
  outcome: Outcome,
): RunningCall {
  const scope = new AsyncResource('GRPC_LB_STREAM', { requireManualDestroy: true });
  return isWritable(call) ? { call, scope, stopRequests: pipeRequests(request, call, outcome) } : { call, scope };
}

function isWritable<T extends object>(call: T | (T & Writable)): call is T & Writable {
  return 'write' in call;
}

function listen(call: CallEvents, { onMetadata, onStatus }: CallArguments): void {
  if (onMetadata) call.on('metadata', onMetadata);
  if (onStatus) call.on('status', onStatus);
}

interface CallEvents {
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
}

/** The 'end' of the messages also precedes errors, so only the status decides. */
function readResponses(call: ReturnType<Client['makeServerStreamRequest']>, outcome: Outcome): void {
  call.on('data', (response: unknown) => outcome.next(response));
  let failure: ServiceError | undefined;
  call.on('error', (error: ServiceError) => {
    failure = error;
    // If it is not from the status, which would come first.
    queueMicrotask(() => outcome.error(error));
  });
  call.on('status', () => {
    if (failure) return outcome.error(failure);
    // The status may overtake messages that wait in the stream's buffer.
    if (call.readableEnded) outcome.complete();
    else call.once('end', () => outcome.complete());
  });
}

/** If the caller's own stream fails, the caller gets that error; the server sees a canceled call. */
function pipeRequests(request: unknown, call: Writable, outcome: Outcome): () => void {
  return writeRequests(request as Parameters<typeof writeRequests>[0], call, (error) => outcome.giveUp(error));
}
