import { AsyncResource } from 'node:async_hooks';

/** Created as this module loads, which is in no request of the application. */
const root = new AsyncResource('GRPC_LB');

/**
 * Runs code outside of any call's AsyncLocalStorage context. What lives longer than a call, such as a connection that it
 * needs, would keep the context of that call, and pass it on to all that follows.
 */
export function outside<T>(action: () => T): T {
  return root.runInAsyncScope(action);
}
