import { AsyncResource } from 'node:async_hooks';
import type { StatusObject } from '@grpc/grpc-js';
import type { CallStream } from '../experimental.js';

/** Receives the results of a call. */
export type CallListener = Parameters<CallStream['start']>[1] & {
  /** Whether it enters the async context of the call itself, where it calls the user. */
  readonly entersContext?: boolean;
  /** False: it is not told of the response headers. */
  readonly wantsHeaders?: boolean;
};

/**
 * The async context in which a call was created. Its listener is told the results there, whatever the context of the
 * event that brings them.
 */
export abstract class ListenedCall extends AsyncResource {
  /** Undefined until the call starts. */
  protected listener: CallListener | undefined;

  constructor() {
    super('GRPC_LB_CALL', { requireManualDestroy: true });
  }

  /** Tells the end of the call, after which nothing follows. */
  protected deliver(status: StatusObject): void {
    this.tell('onReceiveStatus', status);
    this.emitDestroy();
  }

  protected tell<K extends 'onReceiveMetadata' | 'onReceiveMessage' | 'onReceiveStatus'>(
    what: K,
    result: Parameters<CallListener[K]>[0],
  ): void {
    const listener = this.listener!;
    if (listener.entersContext) listener[what](result);
    else this.runInAsyncScope(listener[what], listener, result);
  }
}
