import { KUBERNETES_LINK, PLACE, PREFIX } from '../core/options/variables.js';
import type { GrpcLbClientOverrides } from './module-options.js';

/**
 * The name of a client as environment variables spell it: `ORDERS_CLIENT` for `OrdersClient`, `ORDERS` for `orders`.
 */
export function environmentName(client: string): string {
  return client
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
}

/**
 * The variables for these clients that silently have no effect, because the overrides do not have their values. If there
 * are no overrides at all, nothing reads the environment, and these are all variables of the package, however they are
 * spelled.
 */
export function unreadVariables(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
  overrides: Readonly<Record<string, GrpcLbClientOverrides>> | undefined,
): string[] {
  const isSet = (variable: string): boolean =>
    variable.startsWith(PREFIX) && environment[variable] !== '' && !KUBERNETES_LINK.test(variable);
  const isUnread = (variable: string): boolean => {
    if (!overrides) return !PLACE.includes(variable);
    const found = [...names, ...Object.keys(overrides)].filter((name) => variable.startsWith(`${PREFIX}${name}_`));
    // A variable of ORDERS_CLIENT also begins like one of ORDERS.
    const [name] = found.toSorted((one, other) => other.length - one.length);
    if (name === undefined || !names.includes(name)) return false;
    return !hasValue(overrides[name], variable.slice(PREFIX.length + name.length + 1), environment[variable]);
  };
  return Object.keys(environment)
    .filter((variable) => isSet(variable) && isUnread(variable))
    .toSorted();
}

/** Whether an override may come from a variable; code may set overrides too. */
function hasValue(override: GrpcLbClientOverrides | undefined, option: string, value: string | undefined): boolean {
  if (!override) return false;
  const { target, targets, tls, loadBalancing } = override;
  if (option === 'TARGET') return targets !== undefined || target === value;
  return (option.startsWith('TLS_') ? tls : loadBalancing) !== undefined;
}
