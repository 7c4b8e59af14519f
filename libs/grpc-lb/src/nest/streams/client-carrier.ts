import type {
  Client,
  ClientDuplexStream,
  ClientReadableStream,
  Metadata,
  ServiceError,
  StatusObject,
} from '@grpc/grpc-js';
import { withSlot } from '../../grpc/call/stream-slot.js';
import type { CallArguments } from '../stub/call-arguments.js';
import { readRest } from '../stub/read-rest.js';
import { ANSWERED_AT_ONCE } from '../stub/client-made-call.js';
import type { Method } from '../stub/subscribed-call.js';
import { Carrier } from './carrier.js';

/** A call that grpc-js's client makes, because interceptors or an instrumentation have to see it. */
export class ClientCarrier extends Carrier {
  #call: ClientReadableStream<unknown> | undefined;
  /** The same, if it has a stream of requests. */
  #requests: ClientDuplexStream<unknown, unknown> | undefined;
  #failure: ServiceError | undefined;

  get ready(): boolean {
    const requests = this.#requests;
    return requests !== undefined && requests.writable && !requests.writableNeedDrain;
  }

  /** @throws What an interceptor throws. */
  start(client: Client, method: Method, request: unknown, { metadata, options }: CallArguments): void {
    const { path, requestSerialize, responseDeserialize } = method;
    const slotted = withSlot(metadata, this);
    this.#listen(
      client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, slotted, options),
    );
  }

  /** @throws What an interceptor throws. */
  startRequests(client: Client, method: Method, { metadata, options }: CallArguments): void {
    const { path, requestSerialize, responseDeserialize } = method;
    const slotted = withSlot(metadata, this);
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, slotted, options);
    this.#requests = call;
    call.on('drain', () => this.owner.runInScope(() => this.owner.drained()));
    this.#listen(call);
  }

  send(request: unknown): void {
    this.#requests!.write(request);
  }

  halfClose(): void {
    this.#requests!.end();
  }

  #listen(call: ClientReadableStream<unknown>): void {
    this.#call = call;
    call.pause();
    call.on('data', (message: unknown) => {
      call.pause();
      this.owner.runInScope(() => this.listener.onMessage(message));
    });
    call.on('metadata', (headers: Metadata) => this.owner.runInScope(() => this.headers(headers)));
    call.on('error', (error: ServiceError) => {
      this.#failure = error;
      // If it is not from the status, which would come first.
      queueMicrotask(() => this.#end(error));
    });
    let last = ANSWERED_AT_ONCE;
    call.on('status', (status: StatusObject) => {
      last = status;
      if (this.#failure || call.readableEnded) this.#end(status);
    });
    // The status comes before, but may overtake messages that wait in the stream's buffer; of an interceptor that has
    // answered at once it is lost.
    call.once('end', () => {
      if (!this.#failure) this.#end(last);
    });
  }

  read(): void {
    this.#call?.resume();
  }

  cancel(): void {
    this.#call?.cancel();
  }

  #end({ code, details, metadata }: StatusObject): void {
    readRest(this.#call!);
    this.owner.runInScope(() => this.ended({ code, details, metadata }));
  }
}
