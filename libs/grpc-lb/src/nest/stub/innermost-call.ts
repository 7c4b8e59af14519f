import {
  type InterceptingListener,
  type InterceptorOptions,
  Metadata,
  type NextCall,
  propagate,
  status as Status,
  type StatusObject,
} from '@grpc/grpc-js';
import type { ClientCall } from '../../grpc/call/client-call.js';
import type { CallListener } from '../../grpc/call/listened-call.js';
import type { BalancedChannel } from '../../grpc/channel/balanced-channel.js';
import { messageOf, type Method } from './subscribed-call.js';

type InterceptingCallInterface = ReturnType<NextCall>;

/** What the innermost interceptor calls: a unary call on the channel, whose messages are encoded and decoded. */
export class InnermostCall implements InterceptingCallInterface, CallListener {
  /** The call that it makes on the channel. */
  readonly onChannel: ClientCall;
  #listener: Partial<InterceptingListener> = {};
  #hasMessage = false;
  #fault: StatusObject | undefined;

  constructor(
    channel: BalancedChannel,
    private readonly method: Method,
    options: InterceptorOptions,
  ) {
    const { deadline = Infinity, host, parent, propagate_flags, credentials } = options;
    this.onChannel = channel.newCall(method.path, deadline, host, parent, propagate_flags ?? propagate.DEFAULTS);
    if (credentials) this.onChannel.setCredentials(credentials);
  }

  start(metadata: Metadata, listener: Partial<InterceptingListener> = {}): void {
    this.#listener = listener;
    this.onChannel.start(metadata, this);
    this.onChannel.startRead();
  }

  sendMessageWithContext(
    context: Parameters<InterceptingCallInterface['sendMessageWithContext']>[0],
    message: unknown,
  ): void {
    let encoded: Buffer;
    try {
      encoded = this.method.requestSerialize(message);
    } catch (error) {
      this.onChannel.cancelWithStatus(Status.INTERNAL, `Request message serialization failure: ${messageOf(error)}`);
      return;
    }
    this.onChannel.sendMessageWithContext(context, encoded);
  }

  sendMessage(message: unknown): void {
    this.sendMessageWithContext({}, message);
  }

  halfClose(): void {
    this.onChannel.halfClose();
  }

  startRead(): void {
    this.onChannel.startRead();
  }

  cancelWithStatus(code: Status, details: string): void {
    this.onChannel.cancelWithStatus(code, details);
  }

  getPeer(): string {
    return this.onChannel.getPeer();
  }

  getAuthContext(): ReturnType<InterceptingCallInterface['getAuthContext']> {
    return this.onChannel.getAuthContext();
  }

  // What the call tells.

  onReceiveMetadata(metadata: Metadata): void {
    this.#listener.onReceiveMetadata?.(metadata);
  }

  onReceiveMessage(message: Buffer): void {
    this.#hasMessage = true;
    let response: unknown;
    try {
      response = this.method.responseDeserialize(message);
    } catch (error) {
      const details = `Response message parsing error: ${messageOf(error)}`;
      this.#fault = { code: Status.INTERNAL, details, metadata: new Metadata() };
      this.onChannel.cancelWithStatus(Status.INTERNAL, details);
      return;
    }
    this.#listener.onReceiveMessage?.(response);
  }

  onReceiveStatus(status: StatusObject): void {
    // Interceptors may wait for a message before they pass on the status.
    if (!this.#hasMessage) this.#listener.onReceiveMessage?.(null);
    this.#listener.onReceiveStatus?.(this.#fault ?? status);
  }
}
