import { Metadata, propagate, status as Status, type StatusObject } from '@grpc/grpc-js';
import type { ClientCall } from '../../grpc/call/client-call.js';
import type { CallListener } from '../../grpc/call/listened-call.js';
import { aborted } from './service-error.js';
import { messageOf, SubscribedCall } from './subscribed-call.js';

/**
 * A call with one request that runs directly on the channel. Without interceptors, grpc-js's `Client` would only pass
 * the call through several objects, at a third of the cost of the whole call. For the same reason this is one object:
 * the listener of the call, and what its receiver unsubscribes from.
 */
abstract class DirectCall extends SubscribedCall implements CallListener {
  readonly entersContext = true;
  protected call: ClientCall | undefined;

  get wantsHeaders(): boolean {
    return this.args.onMetadata !== undefined;
  }

  abstract onReceiveMessage(message: Buffer): void;

  start(request: unknown): void {
    const { args } = this;
    const { channel, method } = this.target;
    let message: Buffer;
    try {
      message = method.requestSerialize(request);
    } catch (error) {
      const details = `Request message serialization failure: ${messageOf(error)}`;
      return this.end({ code: Status.INTERNAL, details, metadata: new Metadata() });
    }
    if (this.isAborted) return this.receiver.error(aborted(args.signal!));
    const { deadline = Infinity, host, parent, propagate_flags, credentials } = args.options;
    const call = channel.newCall(method.path, deadline, host, parent, propagate_flags ?? propagate.DEFAULTS);
    if (credentials) call.setCredentials(credentials);
    this.call = call;
    this.opened(call);
    call.start(args.metadata, this);
    call.sendMessageWithContext(NO_CONTEXT, message);
    call.halfClose();
    call.startRead();
  }

  protected get onChannel(): ClientCall | undefined {
    return this.call;
  }

  protected cancel(code: Status, details: string): void {
    this.call!.cancelWithStatus(code, details);
  }

  /** Returns undefined if it cannot be read; the call is canceled then. */
  protected decode(message: Buffer): { readonly response: unknown } | undefined {
    try {
      return { response: this.target.method.responseDeserialize(message) };
    } catch (error) {
      this.cancel(Status.INTERNAL, `Response message parsing error: ${messageOf(error)}`);
      return undefined;
    }
  }
}

/** A unary call. Its response is delivered when its status has arrived. */
export class UnaryCall extends DirectCall {
  #decoded: { readonly response: unknown } | undefined;

  onReceiveMessage(message: Buffer): void {
    this.#decoded = this.decode(message);
  }

  protected deliverRest(status: StatusObject): StatusObject {
    if (!this.#decoded)
      return { code: Status.UNIMPLEMENTED, details: 'No message received', metadata: status.metadata };
    this.receiver.next(this.#decoded.response);
    return status;
  }
}

/** A server-streaming call. */
export class ServerStreamCall extends DirectCall {
  onReceiveMessage(message: Buffer): void {
    const decoded = this.decode(message);
    if (!decoded) return;
    this.inScope(() => this.receiver.next(decoded.response));
    // The receiver may have left.
    if (!this.receiver.closed) this.call!.startRead();
  }

  protected deliverRest(status: StatusObject): StatusObject {
    return status;
  }
}

/** The context of a message without a callback. */
const NO_CONTEXT = Object.freeze({});
