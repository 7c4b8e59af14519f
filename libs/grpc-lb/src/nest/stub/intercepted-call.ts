import { AsyncResource } from 'node:async_hooks';
import { Metadata, type NextCall, status as Status, type StatusObject } from '@grpc/grpc-js';
import { NO_METADATA } from '../../grpc/call/attempt-headers.js';
import type { ClientCall } from '../../grpc/call/client-call.js';
import { InnermostCall } from './innermost-call.js';
import { aborted } from './service-error.js';
import { SubscribedCall } from './subscribed-call.js';

/**
 * A unary call through interceptors. It does what grpc-js's `Client` does for one, without its event emitter, and
 * without the stack trace that it takes of each call.
 */
export class InterceptedCall extends SubscribedCall {
  #outermost: ReturnType<NextCall> | undefined;
  #innermost: InnermostCall | undefined;
  #response: unknown = null;
  #hasStatus = false;

  start(request: unknown): void {
    const { args } = this;
    const { channel, interceptors, method } = this.target;
    if (this.isAborted) return this.receiver.error(aborted(args.signal!));
    const innermost: NextCall = (options) => (this.#innermost = new InnermostCall(channel, method, options));
    const first = interceptors.reduceRight<NextCall>(
      (next, interceptor) => (options) => interceptor(options, next),
      innermost,
    );
    const call = first({ ...args.options, method_definition: method });
    this.#outermost = call;
    this.opened(new AsyncResource('GRPC_LB_CALL', { requireManualDestroy: true }));
    // Interceptors may change it.
    call.start(args.metadata === NO_METADATA ? new Metadata() : args.metadata, this);
    call.sendMessage(request);
    call.halfClose();
  }

  onReceiveMessage(message: unknown): void {
    if (this.#response !== null) this.cancel(Status.UNIMPLEMENTED, 'Too many responses received');
    this.#response = message;
  }

  override onReceiveStatus(status: StatusObject): void {
    // Interceptors that repeat calls may tell several.
    if (this.#hasStatus) return;
    this.#hasStatus = true;
    super.onReceiveStatus(status);
  }

  protected get onChannel(): ClientCall | undefined {
    return this.#innermost?.onChannel;
  }

  protected cancel(code: Status, details: string): void {
    this.#outermost!.cancelWithStatus(code, details);
  }

  protected deliverRest(status: StatusObject): StatusObject {
    if (this.#response === null)
      return { code: Status.UNIMPLEMENTED, details: 'No message received', metadata: status.metadata };
    this.receiver.next(this.#response);
    return status;
  }
}
