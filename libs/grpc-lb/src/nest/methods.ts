import type { ServiceClientConstructor } from '@grpc/grpc-js';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';
import type { Fault } from '../core/errors.js';
import { didYouMean, isObject } from '../core/options/validation.js';
import type { MethodInfo } from '../grpc/config/service-config.js';

/** The methods of all services, under their grpc-js names. */
export function methodsOf(services: ReadonlyMap<string, ServiceClientConstructor>): MethodInfo[] {
  return [...services.values()].flatMap(({ service }) =>
    Object.values(service).map(({ path, requestStream, responseStream }) => {
      const [, name, method] = path.split('/') as [string, string, string];
      return { service: name, method, requestStream, responseStream };
    }),
  );
}

/** A misspelled method would silently have no retries or deadline. */
export function checkMethodNames(
  loadBalancing: LoadBalancingOptions | undefined,
  methods: readonly MethodInfo[],
  faults: Fault[],
): void {
  // Another check reports options that are not objects.
  const { retry, deadline, methods: own } = isObject(loadBalancing) ? loadBalancing : {};
  const known = [...new Set(methods.map(({ method }) => method))];
  const aspects = { 'retry.methods': retry?.methods, 'deadline.methods': deadline?.methods, methods: own };
  for (const [aspect, named] of Object.entries(aspects)) {
    for (const name of isObject(named) && known.length > 0 ? Object.keys(named) : []) {
      if (known.includes(name)) continue;
      faults.push({
        path: `loadBalancing.${aspect}.${name}`,
        message: `is not a method of the client's services${didYouMean(name, known)}; they have ${known.join(', ')}`,
      });
    }
  }
}
