import {
  type Interceptor,
  type Metadata,
  type MethodDefinition,
  status as Status,
  type StatusObject,
} from '@grpc/grpc-js';
import type { ClientCall } from '../../grpc/call/client-call.js';
import type { BalancedChannel } from '../../grpc/channel/balanced-channel.js';
import type { Unsubscribable } from 'rxjs';
import { type Abortable, endWith, leave } from './abort-signals.js';
import type { CallArguments } from './call-arguments.js';
import { OpenCall, type OpenCalls } from './open-calls.js';
import type { Receiver } from './receiver.js';
import { aborted, type FailedCall, serviceError } from './service-error.js';

export type Method = MethodDefinition<unknown, unknown>;

/** How to make calls without grpc-js's client: a channel, and the interceptors of the client. */
export interface DirectWay {
  readonly channel: BalancedChannel;
  readonly interceptors: readonly Interceptor[];
}

/** What the calls of a method share. */
export interface CallTarget extends DirectWay {
  readonly method: Method;
  readonly openCalls: OpenCalls;
}

/** What runs functions in the async context in which a call was started. */
interface Scope {
  runInAsyncScope<T>(run: () => T): T;
}

/** A call whose results one receiver gets, in the async context in which it was started. */
export abstract class SubscribedCall extends OpenCall implements Unsubscribable, Abortable {
  #scope: Scope | undefined;
  #ended = false;

  constructor(
    protected readonly target: CallTarget,
    protected readonly args: CallArguments,
    protected readonly receiver: Receiver,
  ) {
    super();
  }

  /** Called once. If it throws, the call must be unsubscribed. */
  abstract start(request: unknown): void;

  /** Cancels the call on the wire. */
  protected abstract cancel(code: Status, details: string): void;

  /** Delivers what is left when the call has ended with OK; returns the status that it really ends with. */
  protected abstract deliverRest(status: StatusObject): StatusObject;

  /** Called before the call starts. */
  protected opened(scope: Scope): void {
    this.#scope = scope;
    this.target.openCalls.add(this);
    const { signal } = this.args;
    if (signal) endWith(signal, this);
  }

  /** Whether the call ends before it starts, as its signal is aborted. */
  protected get isAborted(): boolean {
    return this.args.signal?.aborted === true;
  }

  aborted(): void {
    // In `onStatus` the call has its end already.
    if (!this.#ended) this.giveUp(aborted(this.args.signal!));
  }

  giveUp(error: unknown): void {
    // What aborts the call, or closes the client, runs in another context.
    this.#scope!.runInAsyncScope(() => this.receiver.error(error));
  }

  /** The receiver wants nothing more, or the call has ended. */
  unsubscribe(): void {
    if (!this.#scope) return;
    this.target.openCalls.delete(this);
    const { signal } = this.args;
    if (signal) leave(signal, this);
    if (!this.#ended) this.cancel(Status.CANCELLED, 'Cancelled on client');
  }

  onReceiveMetadata(metadata: Metadata): void {
    const { onMetadata } = this.args;
    if (onMetadata) this.#scope!.runInAsyncScope(() => onMetadata(metadata));
  }

  onReceiveStatus(status: StatusObject): void {
    this.#scope!.runInAsyncScope(() => this.end(status));
  }

  protected end(status: StatusObject): void {
    this.#ended = true;
    try {
      this.args.onStatus?.(status);
    } finally {
      // Even if the user's function throws.
      this.#complete(status);
    }
  }

  /** The call on the channel; of several, made by interceptors, the last one. Undefined if there is none. */
  protected abstract get onChannel(): Pick<ClientCall, 'peer' | 'timeout'> | undefined;

  get #failed(): FailedCall {
    const { channel, method } = this.target;
    const { peer, timeout } = this.onChannel ?? {};
    return { client: channel.name, method: method.path, peer, timeout };
  }

  protected inScope(run: () => void): void {
    this.#scope!.runInAsyncScope(run);
  }

  #complete(status: StatusObject): void {
    const end = status.code === Status.OK ? this.deliverRest(status) : status;
    if (end.code === Status.OK) this.receiver.complete();
    else this.receiver.error(serviceError(end, undefined, this.#failed));
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
