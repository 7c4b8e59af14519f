import { SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { maxAgeCheck } from './stream-age-options.js';

/** Nest hands what lies under this key to the transport, together with the handler. */
const PATTERN_EXTRAS = 'microservices:pattern_extras';
const KEY = 'grpcLbMaxStreamAge';

/**
 * The maximum age of the streams of one handler, in milliseconds (1000 to 604800000), ± 10 %; `false` for never. At that
 * age, plus `maxStreamAge.grace`, the server ends the stream with UNAVAILABLE, and its client opens it on another server.
 * The option `maxStreamAge.methods` wins over it.
 *
 * @throws GrpcLbOptionsError if the age is invalid.
 * @example
 *   @GrpcMethod('Orders')
 *   @MaxStreamAge(600_000)
 *   watch(request: WatchRequest): Observable<Change> {
 *     return this.feed.watch(request);
 *   }
 */
export function MaxStreamAge(age: number | false): MethodDecorator {
  return (target, key, descriptor) => {
    const faults: Fault[] = [];
    maxAgeCheck('age', age, faults);
    const subject = `@MaxStreamAge on ${target.constructor.name}.${String(key)}`;
    if (faults.length > 0) throw new GrpcLbOptionsError(subject, faults);
    const extras = new Reflector().get<object | undefined>(PATTERN_EXTRAS, descriptor.value as never);
    SetMetadata(PATTERN_EXTRAS, { ...extras, [KEY]: age })(target, key, descriptor);
  };
}

/** The age that the decorator of a handler sets, from what Nest hands to the transport. */
export function decoratedAge(extras: unknown): number | false | undefined {
  return (extras as { readonly [KEY]?: number | false } | undefined)?.[KEY];
}
