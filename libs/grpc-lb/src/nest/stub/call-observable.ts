import { type Client, type MethodDefinition, type ServiceError, status as Status } from '@grpc/grpc-js';
import { Observable, type Subscriber } from 'rxjs';
import { type CallArguments, callArguments } from './call-arguments.js';
import { isRequestStream, writeRequests } from './request-stream.js';

type Method = MethodDefinition<unknown, unknown>;

/**
 * One method of a service as Nest has it: a function that returns a cold Observable. Unsubscribing cancels the call;
 * an error is the ServiceError of grpc-js.
 */
export function callObservable(
  subject: string,
  client: Client,
  method: Method,
): (request: unknown, ...rest: unknown[]) => Observable<unknown> {
  const start = method.responseStream ? startStreaming : startSingle;
  return (request, first, second) =>
    new Observable((subscriber) => {
      if (method.requestStream && !isRequestStream(request)) {
        throw new TypeError(`${subject} takes a stream of requests; pass an Observable or an (async) iterable`);
      }
      const args = callArguments(subject, first, second);
      if (args.signal?.aborted) return subscriber.error(aborted(args.signal));
      const outcome = new Outcome(subscriber);
      return cancelOnTeardown(start(client, method, request, args, outcome), args.signal, outcome);
    });
}

/** Hands on what the call yields, and remembers whether it has ended by itself. */
class Outcome {
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

  /** The caller's side failed or gave up: the call still runs, and is cancelled by the teardown. */
  giveUp(error: unknown): void {
    this.subscriber.error(error);
  }
}

interface RunningCall {
  readonly call: { cancel(): void };
  readonly stopRequests?: () => void;
}

function cancelOnTeardown({ call, stopRequests }: RunningCall, signal: AbortSignal | undefined, outcome: Outcome): () => void {
  const abort = (): void => outcome.giveUp(aborted(signal!));
  signal?.addEventListener('abort', abort, { once: true });
  return () => {
    signal?.removeEventListener('abort', abort);
    stopRequests?.();
    if (!outcome.ended) call.cancel();
  };
}

type Start = (client: Client, method: Method, request: unknown, args: CallArguments, outcome: Outcome) => RunningCall;

/** Unary and client-streaming calls. */
const startSingle: Start = (client, method, request, { metadata, options }, outcome) => {
  const { path, requestSerialize, responseDeserialize } = method;
  const done = (error: ServiceError | null, response?: unknown): void => {
    if (error) return outcome.error(error);
    outcome.next(response);
    outcome.complete();
  };
  if (!method.requestStream) {
    return { call: client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, done) };
  }
  const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, metadata, options, done);
  return { call, stopRequests: pipeRequests(request, call, outcome) };
};

/** Server-streaming and bidirectional calls. */
const startStreaming: Start = (client, method, request, { metadata, options }, outcome) => {
  const { path, requestSerialize, responseDeserialize } = method;
  if (!method.requestStream) {
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata, options);
    readResponses(call, outcome);
    return { call };
  }
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, options);
  readResponses(call, outcome);
  return { call, stopRequests: pipeRequests(request, call, outcome) };
};

/** The 'end' of the messages comes with errors too, and before them; what tells is the status. */
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

type WritableCall = Parameters<typeof writeRequests>[1];

/** If the caller's own stream fails, that error is what the caller gets; the server sees a cancelled call. */
function pipeRequests(request: unknown, call: WritableCall, outcome: Outcome): () => void {
  return writeRequests(request as Parameters<typeof writeRequests>[0], call, (error) => outcome.giveUp(error));
}

function aborted(signal: AbortSignal): Error {
  const details = 'The call was cancelled by its AbortSignal';
  const error = new Error(`${Status.CANCELLED} CANCELLED: ${details}`, { cause: signal.reason });
  return Object.assign(error, { code: Status.CANCELLED, details });
}
