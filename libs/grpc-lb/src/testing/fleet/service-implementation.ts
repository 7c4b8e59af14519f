import type {
  Metadata,
  MethodDefinition,
  sendUnaryData,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { messageOf, messagesOf } from '../answers.js';
import { handlerError } from '../handler-error.js';
import type { BackendCall } from '../handlers.js';
import { namesOf } from '../served-services.js';

/** A call that a backend serves. */
export interface ServedCall {
  readonly info: BackendCall;
  /** Resolves when the backend answers it; rejects with the status that it fails with. */
  admitted(): Promise<void>;
  /** It has been answered. */
  done(error?: unknown): void;
}

/** What a backend does with the calls that arrive. */
export interface CallHost {
  /** Every call passes here first. `request` is undefined for a stream of requests. */
  arrived(method: string, call: AnyCall, request: unknown): ServedCall;
  /** The handler of the first of these names that has one. */
  handlerFor(names: readonly string[]): ((request: unknown, call: BackendCall) => unknown) | undefined;
}

type Message = object;
/** What calls of all kinds have. */
export interface AnyCall {
  readonly metadata: Metadata;
  on(event: 'error', listener: () => void): unknown;
  once(event: 'cancelled', listener: () => void): unknown;
}

type Reads = ServerReadableStream<Message, Message> | ServerDuplexStream<Message, Message>;
type Writes = ServerWritableStream<Message, Message> | ServerDuplexStream<Message, Message>;

/** The methods of a service, answered by the handlers of a host. */
export function implementationOf(service: ServiceDefinition, host: CallHost): UntypedServiceImplementation {
  return Object.fromEntries(Object.keys(service).map((key) => [key, implement(key, service, host)]));
}

function implement(key: string, service: ServiceDefinition, host: CallHost): UntypedHandleCall {
  const method = service[key] as MethodDefinition<Message, Message>;
  const names = namesOf(key, service);
  const answerTo = async (call: AnyCall, served: ServedCall): Promise<unknown> => {
    await served.admitted();
    const request = method.requestStream
      ? requestsOf(call as unknown as Reads)
      : (call as unknown as { request: Message }).request;
    return host.handlerFor(names)?.(request, served.info);
  };
  const start = (call: AnyCall): ServedCall => {
    // A stream that is canceled emits an error too.
    call.on('error', () => {});
    const request = method.requestStream ? undefined : (call as unknown as { request: Message }).request;
    return host.arrived(method.path, call, request);
  };
  if (method.responseStream) {
    return ((call: Writes) => {
      const served = start(call);
      answerTo(call, served)
        .then((answer) => writeAll(call, messagesOf(answer, served.info.signal), served.info.signal))
        .then(
          () => {
            served.done();
            call.end();
          },
          (error: unknown) => {
            served.done(error);
            call.emit('error', handlerError(error));
          },
        );
    }) as UntypedHandleCall;
  }
  return ((call: ServerUnaryCall<Message, Message> | Reads, done: sendUnaryData<Message>) => {
    const served = start(call);
    answerTo(call, served)
      .then((answer) => messageOf(answer, served.info.signal))
      .then(
        (message) => {
          served.done();
          done(null, message);
        },
        (error: unknown) => {
          served.done(error);
          done(handlerError(error));
        },
      );
  }) as UntypedHandleCall;
}

/** A handler that stops reading early does not end the call. */
function requestsOf(call: Reads): AsyncIterable<Message> {
  return { [Symbol.asyncIterator]: () => call.iterator({ destroyOnReturn: false }) as AsyncIterator<Message> };
}

/** Writes no faster than the client reads, until the call is over. */
async function writeAll(call: Writes, messages: AsyncGenerator<Message>, signal: AbortSignal): Promise<void> {
  const over = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  while (!signal.aborted) {
    const next = await Promise.race([messages.next(), over]);
    if (!next || next.done) break;
    if (!call.write(next.value)) {
      await Promise.race([new Promise((resolve) => call.once('drain', resolve)), over]);
    }
  }
  // Not awaited: a generator that waits for its next message cannot return.
  void messages.return(undefined).catch(() => {});
}
