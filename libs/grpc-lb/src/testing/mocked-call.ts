import { Metadata, type MethodDefinition, type ServiceError, status as Status } from '@grpc/grpc-js';
import { shown } from '../core/options/validation.js';
import type { PulledCall } from '../nest/streams/pulled-stream.js';
import type { Sink } from '../nest/streams/sink.js';
import { messageOf, messagesOf } from './answers.js';
import type { HandlerCall, UntypedHandler } from './handlers.js';

/** A method of a mocked client, for all its calls. */
export interface MockedMethodParts {
  readonly method: MethodDefinition<object, object>;
  readonly handler: UntypedHandler | undefined;
  /** The error of a call without a handler. */
  readonly missing: string;
}

/** One call of a mocked client: it runs the handler, and hands its messages to a sink when that wants them. */
export class MockedCall implements PulledCall {
  readonly #over = new AbortController();
  #wake = (): void => {};

  constructor(
    private readonly parts: MockedMethodParts,
    private readonly request: unknown,
    private readonly metadata: Metadata,
    private readonly signal: AbortSignal | undefined,
    private readonly sink: Sink,
  ) {}

  start(): void {
    if (this.signal?.aborted) return this.#cancel();
    this.signal?.addEventListener('abort', this.#cancel);
    void this.#run();
  }

  pump(): void {
    this.#wake();
  }

  /** The caller has gone; or the call has ended, and then nothing is left to do. */
  unsubscribe(): void {
    this.signal?.removeEventListener('abort', this.#cancel);
    this.#over.abort();
    this.#wake();
  }

  readonly #cancel = (): void => {
    this.unsubscribe();
    this.sink.fail(failure(Status.CANCELLED, 'The call was cancelled by its AbortSignal'));
  };

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  async #run(): Promise<void> {
    try {
      for await (const message of this.#answers()) {
        while (!this.sink.wantsMore && !this.#isOver) await new Promise<void>((resolve) => (this.#wake = resolve));
        if (this.#isOver) return;
        this.sink.take(message);
      }
      if (!this.#isOver) this.sink.complete();
    } catch (error) {
      if (!this.#isOver) this.sink.fail(asServiceError(error));
    } finally {
      this.unsubscribe();
    }
  }

  async *#answers(): AsyncGenerator<object> {
    const { method, handler, missing } = this.parts;
    if (!handler) throw failure(Status.UNIMPLEMENTED, missing);
    const asSent = (message: object): object => method.requestDeserialize(method.requestSerialize(message));
    const asReceived = (message: object): object => method.responseDeserialize(method.responseSerialize(message));
    const info: HandlerCall = { method: method.path, metadata: this.metadata, signal: this.#over.signal };
    const request = method.requestStream ? each(messagesOf(this.request), asSent) : asSent(this.request as object);
    const answer = handler(request, info);
    if (method.responseStream) yield* each(messagesOf(answer), asReceived);
    else yield asReceived(await messageOf(answer));
  }
}

async function* each(messages: AsyncIterable<object>, change: (message: object) => object): AsyncGenerator<object> {
  for await (const message of messages) yield change(message);
}

function failure(code: Status, details: string): ServiceError {
  return Object.assign(new Error(`${code} ${Status[code]}: ${details}`), { code, details, metadata: new Metadata() });
}

/** As a server answers an error of its handler. */
function asServiceError(error: unknown): ServiceError {
  const { code, details, message, metadata } = (error ?? {}) as Partial<ServiceError>;
  const known = Number.isInteger(code) && Status[code!] !== undefined;
  const status = known ? code! : Status.UNKNOWN;
  const made = failure(status, details ?? message ?? shown(error));
  return Object.assign(made, { metadata: metadata ?? made.metadata, cause: error });
}
