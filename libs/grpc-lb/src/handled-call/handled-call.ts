import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * The call that a handler of the server side serves, as the calls of balanced clients see it that the handler makes.
 * Two copies of the package, of different versions, may share it, so its shape must stay.
 */
export interface HandledCall {
  /** Milliseconds since the epoch; Infinity if there is none. */
  getDeadline(): number;
  /** Whether the caller has left, the deadline has passed, or the server has cut the call. */
  readonly cancelled: boolean;
  /** Whether its handler has ended: what still runs in its async context, such as a timer, works for no call. */
  readonly over: boolean;
  /** One of the criticalities; undefined if the caller has stated none. */
  readonly criticality: string | undefined;
  on(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
}

interface Shared {
  readonly storage: AsyncLocalStorage<HandledCall>;
  /** Whether the process has a client that asks for the call. */
  wanted: boolean;
}

/** In the registry of the process: the package may be there twice, or bundled into two files. */
const KEY = Symbol.for('nestjs-grpc-lb.handled-call.1');

const shared = ((globalThis as { [KEY]?: Shared })[KEY] ??= { storage: new AsyncLocalStorage(), wanted: false });

/**
 * Called when the process gets a client that makes calls. Before, handlers run without a context of their own: the first
 * context makes each promise of the process slower.
 */
export function wantHandledCall(): void {
  shared.wanted = true;
}

/** The call whose handler is running; undefined outside of handlers. */
export function currentHandledCall(): HandledCall | undefined {
  const call = shared.storage.getStore();
  return call === undefined || call.over ? undefined : call;
}

/** Whether `runHandling` makes a difference. */
export function isHandledCallWanted(): boolean {
  return shared.wanted;
}

/** Runs a part of the handler of a call. */
export function runHandling(call: HandledCall, part: () => void): void {
  shared.storage.run(call, part);
}
