import { GrpcLbArgumentError, GrpcLbOptionsError } from '../errors.js';
import { isObject, shown } from './validation.js';

/**
 * Checks an argument that must be there, before its fields are read.
 *
 * @param use What to pass instead, as in `an object with client`.
 * @throws GrpcLbOptionsError unless the value is an object.
 */
export function requireObject(subject: string, path: string, value: unknown, use: string): void {
  if (isObject(value)) return;
  const found = value === undefined ? 'missing' : shown(value);
  throw new GrpcLbOptionsError(subject, [{ path, message: `is ${found}; use ${use}` }]);
}

/**
 * For the constructor of a module whose providers come from `forRoot`: its class alone would do nothing, in silence.
 *
 * @param options What `forRoot` provides.
 */
export function assertForRoot(options: unknown, module: string): void {
  if (options !== undefined) return;
  const message = `is missing; write ${module}.forRoot() in place of ${module}`;
  throw new GrpcLbOptionsError(module, [{ path: 'forRoot()', message }]);
}

/** @throws GrpcLbArgumentError unless `observe` was given an observer of calls, of a client or of a server. */
export function requireObserver(observer: unknown): void {
  if (isObject(observer) && typeof (observer as { callStarted?: unknown }).callStarted === 'function') return;
  throw new GrpcLbArgumentError(`observe: the observer is ${shown(observer)}; use an object with a method callStarted`);
}
