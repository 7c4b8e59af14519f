import { Metadata, type MethodDefinition, propagate, status as Status, type StatusObject } from '@grpc/grpc-js';
import type { Subscriber, Unsubscribable } from 'rxjs';
import type { BalancedChannel } from '../../grpc/channel/balanced-channel.js';
import type { CallListener, ClientCall } from '../../grpc/call/client-call.js';
import type { CallArguments } from './call-arguments.js';
import { OpenCall, type OpenCalls } from './open-calls.js';
import { aborted, serviceError } from './service-error.js';

type Method = MethodDefinition<unknown, unknown>;

/**
 * A unary call that runs directly on the channel. Without interceptors, grpc-js's `Client` would only pass the call
 * through several objects, at a third of the cost of the whole call. For the same reason this is one object: the
 * listener of the call, and what cancels it when its subscriber unsubscribes.
 */
export class UnaryCall extends OpenCall implements CallListener, Unsubscribable {
  readonly entersContext = true;
  readonly wantsHeaders: boolean;
  #call: ClientCall | undefined;
  #ended = false;
  #received = false;
  #response: unknown;

  constructor(
    private readonly method: Method,
    private readonly args: CallArguments,
    private readonly subscriber: Subscriber<unknown>,
    private readonly openCalls: OpenCalls,
  ) {
    super();
    this.wantsHeaders = args.onMetadata !== undefined;
  }

  start(channel: BalancedChannel, request: unknown): void {
    const { method, args } = this;
    let message: Buffer;
    try {
      message = method.requestSerialize(request);
    } catch (error) {
      const details = `Request message serialization failure: ${messageOf(error)}`;
      return this.#end({ code: Status.INTERNAL, details, metadata: new Metadata() });
    }
    if (args.signal?.aborted) return this.subscriber.error(aborted(args.signal));
    const { deadline = Infinity, host, parent, propagate_flags, credentials } = args.options;
    const call = channel.newCall(method.path, deadline, host, parent, propagate_flags ?? propagate.DEFAULTS);
    this.#call = call;
    if (credentials) call.setCredentials(credentials);
    this.openCalls.add(this);
    args.signal?.addEventListener('abort', this);
    call.start(args.metadata, this);
    call.sendMessageWithContext(NO_CONTEXT, message);
    call.halfClose();
    call.startRead();
  }

  /** The signal is aborted. */
  handleEvent(): void {
    this.giveUp(aborted(this.args.signal!));
  }

  giveUp(error: unknown): void {
    // What aborts the call, or closes the client, runs in another context.
    this.#call!.runInAsyncScope(() => this.subscriber.error(error));
  }

  unsubscribe(): void {
    if (!this.#call) return;
    this.openCalls.delete(this);
    this.args.signal?.removeEventListener('abort', this);
    if (!this.#ended) this.#call.cancelWithStatus(Status.CANCELLED, 'Cancelled on client');
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#call!.runInAsyncScope(this.args.onMetadata!, undefined, metadata);
  }

  onReceiveMessage(message: Buffer): void {
    this.#received = true;
    try {
      this.#response = this.method.responseDeserialize(message);
    } catch (error) {
      this.#call!.cancelWithStatus(Status.INTERNAL, `Response message parsing error: ${messageOf(error)}`);
    }
  }

  onReceiveStatus(status: StatusObject): void {
    this.#call!.runInAsyncScope(() => this.#end(status));
  }

  #end(status: StatusObject): void {
    this.#ended = true;
    try {
      this.args.onStatus?.(status);
    } finally {
      // Even if the user's function throws.
      this.#deliver(status);
    }
  }

  #deliver(status: StatusObject): void {
    const { subscriber } = this;
    if (status.code !== Status.OK) return subscriber.error(serviceError(status));
    if (!this.#received) {
      const none = { code: Status.UNIMPLEMENTED, details: 'No message received', metadata: status.metadata };
      return subscriber.error(serviceError(none));
    }
    subscriber.next(this.#response);
    subscriber.complete();
  }
}

/** The context of a message without a callback. */
const NO_CONTEXT = Object.freeze({});

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
