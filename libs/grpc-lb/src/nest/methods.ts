import type { ServiceClientConstructor } from '@grpc/grpc-js';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';
import type { Fault } from '../core/errors.js';
import { didYouMean, isObject } from '../core/options/validation.js';
import type { MethodInfo } from '../grpc/config/service-config.js';

/** The methods of all services, under their grpc-js names. */
export function methodsOf(services: ReadonlyMap<string, ServiceClientConstructor>): MethodInfo[] {
  return [...services.values()].flatMap(({ service }) =>
    Object.values(service).map((definition) => {
      const { path, requestStream, responseStream } = definition;
      const [, name, method] = path.split('/') as [string, string, string];
      return { service: name, method, requestStream, responseStream, idempotent: isIdempotent(definition) };
    }),
  );
}

/** Definitions of grpc-js that are generated have no options. */
function isIdempotent(definition: object): boolean {
  const { options } = definition as { readonly options?: { readonly idempotency_level?: unknown } };
  return options?.idempotency_level === 'IDEMPOTENT' || options?.idempotency_level === 'NO_SIDE_EFFECTS';
}

/** A misspelled method would silently have no retries, hedges, throttle or deadline. */
export function checkMethodNames(
  loadBalancing: LoadBalancingOptions | undefined,
  methods: readonly MethodInfo[],
  faults: Fault[],
): void {
  // Another check reports options that are not objects.
  const { retry, hedge, throttle, deadline, methods: own } = isObject(loadBalancing) ? loadBalancing : {};
  const known = [...new Set(methods.map(({ method }) => method))];
  const aspects = {
    'retry.methods': retry?.methods,
    'hedge.methods': hedge?.methods,
    'throttle.methods': throttle?.methods,
    'deadline.methods': deadline?.methods,
    methods: own,
  };
  for (const [aspect, named] of Object.entries(aspects)) {
    for (const name of isObject(named) && known.length > 0 ? Object.keys(named) : []) {
      if (known.includes(name)) continue;
      faults.push({
        path: `loadBalancing.${aspect}.${name}`,
        message: `is not a method of the client's services${didYouMean(name, known)}; they have ${known.join(', ')}`,
      });
    }
  }
  checkHedgeable(hedge?.methods, methods, faults);
}

/** A stream of requests would have to be kept, and sent to two endpoints at a time. */
function checkHedgeable(hedged: unknown, methods: readonly MethodInfo[], faults: Fault[]): void {
  if (!isObject(hedged)) return;
  const streaming = new Set(methods.filter(({ requestStream }) => requestStream).map(({ method }) => method));
  for (const [name, options] of Object.entries(hedged)) {
    if (options === false || options === undefined || !streaming.has(name)) continue;
    faults.push({
      path: `loadBalancing.hedge.methods.${name}`,
      message: 'streams its requests, and cannot be hedged; remove it, and hedge only methods with a single request',
    });
  }
}
