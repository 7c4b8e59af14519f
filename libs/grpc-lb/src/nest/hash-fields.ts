import type { MethodDefinition, ServiceClientConstructor } from '@grpc/grpc-js';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';
import type { Fault } from '../core/errors.js';
import { didYouMean, isObject } from '../core/options/validation.js';

/** The parts of a request that proto-loader describes. */
interface RequestType {
  readonly type?: { readonly field?: readonly { readonly name?: string }[] };
}

/** With a misspelled field no call would have a key: each would silently go to a random endpoint. */
export function checkHashFields(
  loadBalancing: LoadBalancingOptions | undefined,
  services: ReadonlyMap<string, ServiceClientConstructor>,
  faults: Fault[],
): void {
  // Another check reports options that are not objects.
  const { policy, methods } = isObject(loadBalancing) ? loadBalancing : {};
  const all = [...services.values()].flatMap(({ service }) => Object.values(service));
  check('loadBalancing.policy', policy, all, faults);
  for (const [name, options] of Object.entries(isObject(methods) ? methods : {})) {
    const own = isObject(options) ? options.policy : undefined;
    const named = all.filter(({ path }) => path.endsWith(`/${name}`));
    check(`loadBalancing.methods.${name}.policy`, own, named, faults);
  }
}

function check(
  path: string,
  policy: unknown,
  methods: readonly MethodDefinition<unknown, unknown>[],
  faults: Fault[],
): void {
  const { name, by } = (isObject(policy) ? policy : {}) as { name?: unknown; by?: unknown };
  const field = isObject(by) ? (by as { field?: unknown }).field : undefined;
  if (name !== 'ring_hash' || typeof field !== 'string') return;
  const first = field.split('.')[0]!;
  const known = new Set(methods.flatMap(fieldsOf));
  // Definitions from another tool may not describe their messages.
  if (known.size === 0 || known.has(first)) return;
  const names = [...known];
  faults.push({
    path: `${path}.by.field`,
    message: `is "${field}", but no request of ${methods.length === 1 ? 'this method' : "the client's methods"} has "${first}"${didYouMean(first, names)}; they have ${names.join(', ')}`,
  });
}

/** In both spellings: the loader's `keepCase` decides which of them requests have. */
function fieldsOf(method: MethodDefinition<unknown, unknown>): string[] {
  if (method.requestStream) return [];
  const { requestFields } = method as { readonly requestFields?: readonly string[] };
  if (requestFields) return [...requestFields];
  const { type } = ((method as { requestType?: unknown }).requestType ?? {}) as RequestType;
  return (type?.field ?? []).flatMap(({ name = '' }) => [
    ...new Set([name, name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())]),
  ]);
}
