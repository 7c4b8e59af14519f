import { AsyncResource } from 'node:async_hooks';
import { type Client, Metadata, type ServiceError, status as Status, type StatusObject } from '@grpc/grpc-js';
import type { Unsubscribable } from 'rxjs';
import { NO_METADATA } from '../../grpc/call/attempt-headers.js';
import { type Abortable, endWith, leave } from './abort-signals.js';
import type { CallArguments } from './call-arguments.js';
import { OpenCall, type OpenCalls } from './open-calls.js';
import type { Receiver } from './receiver.js';
import { readRest } from './read-rest.js';
import { type Writable, writeRequests } from './request-stream.js';
import { aborted, named } from './service-error.js';
import type { Method } from './subscribed-call.js';

/** How grpc-js's client makes the calls of a method. */
export interface ClientMadeTarget {
  readonly client: Client;
  readonly method: Method;
  readonly openCalls: OpenCalls;
  /** The name of the client. */
  readonly clientName: string;
  /** What a call says that it goes to before it is sent. */
  readonly target: string;
}

/** What grpc-js's client returns for a call, as far as all kinds have it. */
interface GrpcCall {
  cancel(): void;
  getPeer(): string;
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
}

type ResponseStream = ReturnType<Client['makeServerStreamRequest']>;

/** A call of any kind that grpc-js's client makes. */
export class ClientMadeCall extends OpenCall implements Unsubscribable, Abortable {
  #ended = false;
  /** Tells the receiver how a call with one response has ended. */
  #end: (() => void) | undefined;
  #call: GrpcCall | undefined;
  /** The same, if it has a stream of responses. */
  #responses: ResponseStream | undefined;
  /** The async context in which it was started; undefined while it starts in it. */
  #scope: AsyncResource | undefined;
  #stopRequests: (() => void) | undefined;
  /** Whether `onStatus` runs; and whether it has aborted the signal of the call. */
  #tellingStatus = false;
  #abortedMeanwhile = false;

  constructor(
    private readonly target: ClientMadeTarget,
    private readonly args: CallArguments,
    private readonly receiver: Receiver,
  ) {
    super();
  }

  /** Called once. @throws What an interceptor throws; then there is no call. */
  start(request: unknown): void {
    const { method, openCalls } = this.target;
    const { signal } = this.args;
    const call = method.responseStream ? this.#startStreaming(request) : this.#startSingle(request);
    this.#call = call;
    if (method.requestStream) this.#pipeRequests(request as Parameters<typeof writeRequests>[0], call);
    this.#scope = new AsyncResource('GRPC_LB_STREAM', { requireManualDestroy: true });
    openCalls.add(this);
    if (signal) endWith(signal, this);
    // Requests that arrive at once may have aborted it already.
    if (signal?.aborted) this.aborted();
    // An interceptor has answered at once.
    else if (!this.#ended) this.#end?.();
  }

  /** The receiver takes messages again. */
  resume(): void {
    this.#responses?.resume();
  }

  aborted(): void {
    if (this.#tellingStatus) this.#abortedMeanwhile = true;
    else this.giveUp(aborted(this.args.signal!));
  }

  /** The caller failed or gave up: the call still runs, and `unsubscribe` cancels it. */
  giveUp(error: unknown): void {
    // What aborts the call, or closes the client, runs in another context.
    if (this.#scope) this.#scope.runInAsyncScope(() => this.receiver.error(error));
    else this.receiver.error(error);
  }

  unsubscribe(): void {
    this.target.openCalls.delete(this);
    const { signal } = this.args;
    if (signal) leave(signal, this);
    this.#stopRequests?.();
    if (!this.#ended) this.#call?.cancel();
  }

  /** Unary and client-streaming calls. */
  #startSingle(request: unknown): GrpcCall {
    const { client, method } = this.target;
    const { path, requestSerialize, responseDeserialize } = method;
    const { options } = this.args;
    let started = false;
    const done = (error: ServiceError | null, response?: unknown): void => {
      if (!started) this.args.onStatus?.(error ?? ANSWERED_AT_ONCE);
      this.#end = () => {
        if (error) return this.#fail(error);
        this.receiver.next(response);
        this.#complete();
      };
    };
    const metadata = this.#ownMetadata();
    const call = method.requestStream
      ? client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, metadata, options, done)
      : client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, done);
    started = true;
    this.#listen(call);
    // grpc-js emits the status right after the callback.
    call.on('status', () => this.#end?.());
    return call;
  }

  /** Server-streaming and bidirectional calls. */
  #startStreaming(request: unknown): ResponseStream {
    const { client, method } = this.target;
    const { path, requestSerialize, responseDeserialize } = method;
    const { options } = this.args;
    const metadata = this.#ownMetadata();
    const call = method.requestStream
      ? client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, options)
      : client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata, options);
    this.#responses = call;
    this.#listen(call);
    this.#readResponses(call);
    return call;
  }

  /** grpc-js and interceptors may change it. */
  #ownMetadata(): Metadata {
    const { metadata } = this.args;
    return metadata === NO_METADATA ? new Metadata() : metadata;
  }

  #listen(call: GrpcCall): void {
    const { onMetadata, onStatus } = this.args;
    if (onMetadata) call.on('metadata', onMetadata);
    if (onStatus) call.on('status', (status) => this.#tellStatus(onStatus, status));
  }

  /** A call that ends with this status is not aborted any more; one whose messages wait to be read is. */
  #tellStatus(onStatus: (status: StatusObject) => void, status: StatusObject): void {
    this.#tellingStatus = true;
    try {
      onStatus(status);
    } finally {
      this.#tellingStatus = false;
      if (this.#abortedMeanwhile)
        queueMicrotask(() => {
          if (!this.#ended) this.aborted();
        });
    }
  }

  #readResponses(call: ResponseStream): void {
    const { receiver } = this;
    call.on('data', (response: unknown) => {
      receiver.next(response);
      if (receiver.wantsMore === false) call.pause();
    });
    let failure: ServiceError | undefined;
    const fail = (error: ServiceError): void => {
      if (this.#ended) return;
      readRest(call);
      this.#fail(error);
    };
    call.on('error', (error: ServiceError) => {
      failure = error;
      // If it is not from the status, which would come first.
      queueMicrotask(() => fail(error));
    });
    call.on('status', () => {
      if (failure) fail(failure);
      else if (call.readableEnded) this.#complete();
    });
    // The status comes before, but may overtake messages that wait in the stream's buffer; of an interceptor that has
    // answered at once it is lost.
    call.once('end', () => {
      if (!failure && !this.#ended) this.#complete();
    });
  }

  /** If the caller's own stream fails, the caller gets that error; the server sees a canceled call. */
  #pipeRequests(requests: Parameters<typeof writeRequests>[0], call: object): void {
    this.#stopRequests = writeRequests(requests, call as Writable, (error) => this.giveUp(error));
  }

  /** The call has ended with this status. */
  #fail(error: ServiceError): void {
    this.#ended = true;
    const { clientName, method } = this.target;
    this.receiver.error(named(error, { client: clientName, method: method.path, peer: this.#peer }));
  }

  get #peer(): string | undefined {
    const { target, client } = this.target;
    try {
      const peer = this.#call?.getPeer();
      return peer === target || peer === client.getChannel().getTarget() || peer === 'unknown' ? undefined : peer;
    } catch {
      // An interceptor's own call need not know it.
      return undefined;
    }
  }

  #complete(): void {
    this.#ended = true;
    this.receiver.complete();
  }
}

/** What is known of the status of a call with which an interceptor has answered before anyone could listen to it. */
export const ANSWERED_AT_ONCE: StatusObject = { code: Status.OK, details: 'OK', metadata: new Metadata() };
