import { Metadata, propagate, status as Status, type StatusObject } from '@grpc/grpc-js';
import type { CallListener, ClientCall } from '../../grpc/call/client-call.js';
import type { BalancedChannel } from '../../grpc/channel/balanced-channel.js';
import type { CallArguments } from '../stub/call-arguments.js';
import { messageOf, type Method } from '../stub/subscribed-call.js';
import { Carrier } from './carrier.js';

/** A call with one request that runs directly on the channel. */
export class DirectCarrier extends Carrier implements CallListener {
  readonly entersContext = true;
  #call: ClientCall | undefined;
  #method: Method | undefined;
  #fault: StatusObject | undefined;

  /** @throws Error if the channel is closed. */
  start(channel: BalancedChannel, method: Method, request: unknown, { metadata, options }: CallArguments): void {
    let message: Buffer;
    try {
      message = method.requestSerialize(request);
    } catch (error) {
      const details = `Request message serialization failure: ${messageOf(error)}`;
      return this.ended({ code: Status.INTERNAL, details, metadata: new Metadata() });
    }
    const { deadline = Infinity, host, parent, propagate_flags, credentials } = options;
    const call = channel.newCall(method.path, deadline, host, parent, propagate_flags ?? propagate.DEFAULTS);
    if (credentials) call.setCredentials(credentials);
    call.slot = this;
    this.#call = call;
    this.#method = method;
    call.start(metadata, this);
    call.sendMessageWithContext({}, message);
    call.halfClose();
  }

  read(): void {
    this.#call?.startRead();
  }

  cancel(): void {
    this.#call?.cancelWithStatus(Status.CANCELLED, 'Cancelled on client');
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.owner.runInScope(() => this.headers(metadata));
  }

  onReceiveMessage(message: Buffer): void {
    let response: unknown;
    try {
      response = this.#method!.responseDeserialize(message);
    } catch (error) {
      const details = `Response message parsing error: ${messageOf(error)}`;
      this.#fault = { code: Status.INTERNAL, details, metadata: new Metadata() };
      this.#call!.cancelWithStatus(Status.INTERNAL, details);
      return;
    }
    this.owner.runInScope(() => this.listener.onMessage(response));
  }

  onReceiveStatus(status: StatusObject): void {
    this.owner.runInScope(() => this.ended(this.#fault ?? status));
  }
}
