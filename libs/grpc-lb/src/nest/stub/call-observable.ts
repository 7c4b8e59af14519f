import { type Client, Metadata, type MethodDefinition, type ServiceError, status as Status } from '@grpc/grpc-js';
import { Observable, type Subscriber } from 'rxjs';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { type CallArguments, callArguments, kindOf } from './call-arguments.js';
import { isRequestStream, type Writable, writeRequests } from './request-stream.js';
import { withoutStack } from './without-stack.js';

type Method = MethodDefinition<unknown, unknown>;

/** A call that has started and not ended. */
export interface OpenCall {
  /** Its subscriber gets the error, and the server sees the call canceled. */
  giveUp(error: unknown): void;
}

/** The metadata, with the policy's key of the request. */
export type Keyed = (request: unknown, metadata: Metadata) => Metadata;

/**
 * One method of a service in Nest's form: a function that returns a cold Observable. Unsubscribing cancels the call; an
 * error is the ServiceError of grpc-js. Calls are in `openCalls` while they run. `intercepted` means that the client
 * has interceptors.
 */
export function callObservable(
  subject: string,
  client: Client,
  method: Method,
  openCalls: Set<OpenCall>,
  intercepted: boolean,
  keyed: Keyed = (_request, metadata) => metadata,
): (request: unknown, ...rest: unknown[]) => Observable<unknown> {
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
      const outcome = new Outcome(subscriber);
      const withKey = metadata === args.metadata ? args : { ...args, metadata };
      const running = start(client, method, request, withKey, outcome, intercepted || isIntercepted(args));
      openCalls.add(outcome);
      const unwatch = args.signal && giveUpOnAbort(args.signal, outcome);
      return () => {
        openCalls.delete(outcome);
        unwatch?.();
        running.stopRequests?.();
        if (!outcome.ended) cancelForGood(running.call);
      };
    });
}

/**
 * grpc-js 1.14 still sends a call that is canceled in the turn of its start, and its stream would stay open forever:
 * such a call must be canceled again once it is on its way.
 */
function cancelForGood(call: RunningCall['call']): void {
  call.cancel();
  setImmediate(() => call.cancel());
}

function isIntercepted({ options }: CallArguments): boolean {
  return options.interceptors !== undefined || options.interceptor_providers !== undefined;
}

/** Passes on the results of the call, and remembers whether it has ended. */
class Outcome implements OpenCall {
  ended = false;

  constructor(private readonly subscriber: Subscriber<unknown>) {}

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
    this.subscriber.error(error);
  }
}

interface RunningCall {
  readonly call: { cancel(): void };
  readonly stopRequests?: () => void;
}

function giveUpOnAbort(signal: AbortSignal, outcome: Outcome): () => void {
  const abort = (): void => outcome.giveUp(aborted(signal));
  signal.addEventListener('abort', abort, { once: true });
  // Requests that arrive at once may have aborted it already.
  if (signal.aborted) abort();
  return () => signal.removeEventListener('abort', abort);
}

type Start = (
  client: Client,
  method: Method,
  request: unknown,
  args: CallArguments,
  outcome: Outcome,
  intercepted: boolean,
) => RunningCall;

/** Unary and client-streaming calls. */
const startSingle: Start = (client, method, request, { metadata, options }, outcome, intercepted) => {
  const { path, requestSerialize, responseDeserialize } = method;
  const done = (error: ServiceError | null, response?: unknown): void => {
    if (error) return outcome.error(error);
    outcome.next(response);
    outcome.complete();
  };
  if (!method.requestStream) {
    const call = (): RunningCall['call'] =>
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, done);
    // Interceptors are user code, and run immediately.
    return { call: intercepted ? call() : withoutStack(call) };
  }
  const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, metadata, options, done);
  return { call, stopRequests: pipeRequests(request, call, outcome) };
};

/** Server-streaming and bidirectional calls. */
const startStreaming: Start = (client, method, request, { metadata, options }, outcome) => {
  const { path, requestSerialize, responseDeserialize } = method;
  if (!method.requestStream) {
    const call = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      options,
    );
    readResponses(call, outcome);
    return { call };
  }
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, options);
  readResponses(call, outcome);
  return { call, stopRequests: pipeRequests(request, call, outcome) };
};

/** The 'end' of the messages also precedes errors, so only the status decides. */
function readResponses(call: ReturnType<Client['makeServerStreamRequest']>, outcome: Outcome): void {
  call.on('data', (response: unknown) => outcome.next(response));
  call.on('error', (error: ServiceError) => outcome.error(error));
  call.on('status', ({ code }) => {
    if (code !== Status.OK) return;
    // The status may overtake messages that wait in the stream's buffer.
    if (call.readableEnded) outcome.complete();
    else call.once('end', () => outcome.complete());
  });
}

/** If the caller's own stream fails, the caller gets that error; the server sees a canceled call. */
function pipeRequests(request: unknown, call: Writable, outcome: Outcome): () => void {
  return writeRequests(request as Parameters<typeof writeRequests>[0], call, (error) => outcome.giveUp(error));
}

function aborted(signal: AbortSignal): Error {
  return cancelled('The call was cancelled by its AbortSignal', signal.reason);
}

/** An error like those of grpc-js, for a call that ends on this side. */
export function cancelled(details: string, cause?: unknown): Error {
  const error = new Error(`${Status.CANCELLED} CANCELLED: ${details}`, cause === undefined ? undefined : { cause });
  return Object.assign(error, { code: Status.CANCELLED, details, metadata: new Metadata() });
}
