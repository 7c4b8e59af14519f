import { Metadata, propagate, status as Status, type StatusObject } from '@grpc/grpc-js';
import type { ClientCall } from '../../grpc/call/client-call.js';
import type { CallListener } from '../../grpc/call/listened-call.js';
import type { BalancedChannel } from '../../grpc/channel/balanced-channel.js';
import type { CallArguments } from '../stub/call-arguments.js';
import { messageOf, type Method } from '../stub/subscribed-call.js';
import { Carrier } from './carrier.js';

/** How many requests wait for the connection, as in the streams of grpc-js. */
const MAX_UNFLUSHED = 16;

/** A call that runs directly on the channel. */
export class DirectCarrier extends Carrier implements CallListener {
  readonly entersContext = true;
  #call: ClientCall | undefined;
  #method: Method | undefined;
  #fault: StatusObject | undefined;
  #unflushed = 0;
  /** The context of each message of a stream of requests; undefined if there is one request. */
  #flushed: { readonly callback: () => void } | undefined;

  get ready(): boolean {
    return this.#call !== undefined && this.#fault === undefined && this.#unflushed < MAX_UNFLUSHED;
  }

  /** @throws Error if the channel is closed. */
  start(channel: BalancedChannel, method: Method, request: unknown, args: CallArguments): void {
    let message: Buffer;
    try {
      message = method.requestSerialize(request);
    } catch (error) {
      const details = `Request message serialization failure: ${messageOf(error)}`;
      return this.ended({ code: Status.INTERNAL, details, metadata: new Metadata() });
    }
    const call = this.#open(channel, method, args);
    call.sendMessageWithContext({}, message);
    call.halfClose();
  }

  /** @throws Error if the channel is closed. */
  startRequests(channel: BalancedChannel, method: Method, args: CallArguments): void {
    this.#flushed = {
      callback: () => {
        if (this.#unflushed-- === MAX_UNFLUSHED) this.owner.runInScope(() => this.owner.drained());
      },
    };
    this.#open(channel, method, args);
  }

  send(request: unknown): void {
    let message: Buffer;
    try {
      message = this.#method!.requestSerialize(request);
    } catch (error) {
      return this.#abort(`Request message serialization failure: ${messageOf(error)}`);
    }
    this.#unflushed++;
    this.#call!.sendMessageWithContext(this.#flushed!, message);
  }

  halfClose(): void {
    this.#call!.halfClose();
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
      return this.#abort(`Response message parsing error: ${messageOf(error)}`);
    }
    this.owner.runInScope(() => this.listener.onMessage(response));
  }

  onReceiveStatus(status: StatusObject): void {
    this.owner.runInScope(() => this.ended(this.#fault ?? status));
  }

  #open(channel: BalancedChannel, method: Method, { metadata, options }: CallArguments): ClientCall {
    const { deadline = Infinity, host, parent, propagate_flags, credentials } = options;
    const call = channel.newCall(method.path, deadline, host, parent, propagate_flags ?? propagate.DEFAULTS);
    if (credentials) call.setCredentials(credentials);
    call.slot = this;
    this.#call = call;
    this.#method = method;
    call.start(metadata, this);
    return call;
  }

  #abort(details: string): void {
    this.#fault = { code: Status.INTERNAL, details, metadata: new Metadata() };
    this.#call!.cancelWithStatus(Status.INTERNAL, details);
  }
}
