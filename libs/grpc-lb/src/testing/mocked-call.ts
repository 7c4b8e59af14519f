import { Metadata, type MethodDefinition, type ServiceError, status as Status, type StatusObject } from '@grpc/grpc-js';
import { shown } from '../core/options/validation.js';
import type { PulledCall } from '../nest/streams/pulled-stream.js';
import type { Sink } from '../nest/streams/sink.js';
import { type Abortable, endWith, leave } from '../nest/stub/abort-signals.js';
import type { CallArguments } from '../nest/stub/call-arguments.js';
import { aborted, serviceError } from '../nest/stub/service-error.js';
import { messageOf, messagesOf } from './answers.js';
import { handlerError } from './handler-error.js';
import type { HandlerCall, UntypedHandler } from './handlers.js';

/** A method of a mocked client, for all its calls. */
export interface MockedMethodParts {
  readonly method: MethodDefinition<object, object>;
  readonly handler: UntypedHandler | undefined;
  /** The error of a call without a handler. */
  readonly missing: string;
}

/** One call of a mocked client: it runs the handler, and hands its messages to a sink when that wants them. */
export class MockedCall implements PulledCall, Abortable {
  /** The handler's: aborts when the caller leaves before the end. */
  readonly #left = new AbortController();
  /** Aborts with any end: nothing more is read of the caller's requests and of the handler's answer. */
  readonly #over = new AbortController();
  #wake = (): void => {};

  constructor(
    private readonly parts: MockedMethodParts,
    private readonly request: unknown,
    private readonly args: Pick<CallArguments, 'metadata' | 'onStatus' | 'signal'>,
    private readonly sink: Sink,
  ) {}

  start(): void {
    const { signal } = this.args;
    if (signal?.aborted) return this.aborted();
    if (signal) endWith(signal, this);
    void this.#run();
  }

  pump(): void {
    this.#wake();
  }

  /** The caller has gone; or the call has ended, and then nothing is left to do. */
  unsubscribe(): void {
    this.#leave(serviceError({ code: Status.CANCELLED, details: 'Cancelled on client' }));
  }

  aborted(): void {
    const error = aborted(this.args.signal!) as ServiceError;
    this.#leave(error);
    this.sink.fail(error);
  }

  #leave(status: StatusObject): void {
    if (this.#isOver) return;
    this.#left.abort();
    this.#end(status);
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** The status is told before the caller gets the end. */
  #end({ code, details, metadata }: StatusObject): void {
    const { signal, onStatus } = this.args;
    if (signal) leave(signal, this);
    this.#over.abort();
    this.#wake();
    try {
      onStatus?.({ code, details, metadata });
    } catch (error) {
      // The call ends all the same.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  async #run(): Promise<void> {
    const { responseStream } = this.parts.method;
    try {
      for await (const message of this.#answers()) {
        while (!this.sink.wantsMore && !this.#isOver) await new Promise<void>((resolve) => (this.#wake = resolve));
        if (this.#isOver) return;
        // The status of a call with one response is known before that is delivered: its caller may leave with it.
        if (!responseStream) this.#end(ok());
        this.sink.take(message);
      }
      if (responseStream) {
        if (this.#isOver) return;
        this.#end(ok());
      }
      this.sink.complete();
    } catch (error) {
      this.#fail(handlerError(error));
    }
  }

  #fail(error: ServiceError): void {
    if (this.#isOver) return;
    this.#end(error);
    this.sink.fail(error);
  }

  async *#answers(): AsyncGenerator<object> {
    const { method, handler, missing } = this.parts;
    if (!handler) throw serviceError({ code: Status.UNIMPLEMENTED, details: missing });
    const info: HandlerCall = { method: method.path, metadata: this.args.metadata, signal: this.#left.signal };
    const over = this.#over.signal;
    const answer = handler(
      method.requestStream ? each(messagesOf(this.request, over), this.#asSent) : this.#asSent(this.request as object),
      info,
    );
    if (method.responseStream) yield* each(messagesOf(answer, over), this.#asReceived);
    else yield this.#asReceived(await messageOf(answer, over));
  }

  readonly #asSent = (message: object): object => {
    const { requestSerialize, requestDeserialize } = this.parts.method;
    return requestDeserialize(encoded(requestSerialize, message, 'Request message serialization failure'));
  };

  readonly #asReceived = (message: object): object => {
    const { responseSerialize, responseDeserialize } = this.parts.method;
    return responseDeserialize(encoded(responseSerialize, message, 'Error serializing response'));
  };
}

function ok(): StatusObject {
  return { code: Status.OK, details: 'OK', metadata: new Metadata() };
}

async function* each(messages: AsyncIterable<object>, change: (message: object) => object): AsyncGenerator<object> {
  for await (const message of messages) yield change(message);
}

/** @throws ServiceError INTERNAL, as of clients and servers of grpc-js. */
function encoded(serialize: (message: object) => Buffer, message: object, failure: string): Buffer {
  try {
    return serialize(message);
  } catch (error) {
    const details = `${failure}: ${error instanceof Error ? error.message : shown(error)}`;
    throw serviceError({ code: Status.INTERNAL, details }, error);
  }
}
