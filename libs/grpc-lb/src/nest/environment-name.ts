import { KUBERNETES_LINK, PLACE, PREFIX } from '../core/options/variables.js';

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
 * The variables that are not among the overrides of these clients, and silently have no effect. If there are no
 * overrides at all, nothing reads the environment, and these are all variables of the package, however they are spelled.
 */
export function unreadVariables(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
  overrides: Readonly<Record<string, unknown>> | undefined,
): string[] {
  const isOf = (variable: string, name: string): boolean => variable.startsWith(`${PREFIX}${name}_`);
  // A variable of ORDERS_CLIENT also begins like one of ORDERS: the reader of the environment has found the right
  // client.
  const isUnread = (variable: string): boolean => {
    if (!overrides) return variable.startsWith(PREFIX) && !PLACE.includes(variable);
    return names.some((name) => isOf(variable, name)) && !Object.keys(overrides).some((name) => isOf(variable, name));
  };
  return Object.keys(environment)
    .filter((variable) => isUnread(variable) && environment[variable] !== '' && !KUBERNETES_LINK.test(variable))
    .toSorted();
}
