import { KUBERNETES_LINK, PLACE, PREFIX } from '../core/options/variables.js';
import { didYouMean, nearest } from '../core/options/validation.js';
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
    const name = clientOf(variable, [...names, ...Object.keys(overrides)]);
    if (name === undefined || !names.includes(name)) return false;
    return !hasValue(overrides[name], variable.slice(PREFIX.length + name.length + 1), environment[variable]);
  };
  return Object.keys(environment)
    .filter((variable) => isSet(variable) && isUnread(variable))
    .toSorted();
}

/**
 * A warning for each client that has overrides and that the application does not have. It names the variables, if they
 * come from some. Applications may share an environment, so such variables are no fault.
 */
export function strangersWarnings(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
  overrides: Readonly<Record<string, GrpcLbClientOverrides>>,
): string[] {
  const all = [...names, ...Object.keys(overrides)];
  const here = `the clients here are ${names.join(', ') || 'none'}`;
  const strangers = Object.keys(overrides).filter((name) => !names.includes(name));
  return strangers.map((name) => {
    const optionOf = (variable: string): string => variable.slice(PREFIX.length + name.length + 1);
    const variables = Object.keys(environment)
      .filter((each) => clientOf(each, all) === name && hasValue(overrides[name], optionOf(each), environment[each]))
      .toSorted();
    const [first] = variables;
    if (first === undefined)
      return `Configuration for a client ${name} has no effect${didYouMean(name, names)}; ${here}`;
    const meant = nearest(name, names);
    const guess = meant === undefined ? '' : `; did you mean ${PREFIX}${meant}_${optionOf(first)}?`;
    const have = variables.length === 1 ? 'has' : 'have';
    return `${variables.join(', ')} of the environment ${have} no effect, because there is no client ${name} here${guess}; ${here}`;
  });
}

/** The client whose variable it is; undefined if it is of none of them. */
function clientOf(variable: string, names: readonly string[]): string | undefined {
  const found = names.filter((name) => variable.startsWith(`${PREFIX}${name}_`));
  // A variable of ORDERS_CLIENT also begins like one of ORDERS.
  return found.toSorted((one, other) => other.length - one.length)[0];
}

/** Whether an override may come from a variable; code may set overrides too. */
function hasValue(override: GrpcLbClientOverrides | undefined, option: string, value: string | undefined): boolean {
  if (!override) return false;
  const { target, targets, tls, loadBalancing } = override;
  if (option === 'TARGET') return targets !== undefined || target === value;
  return (option.startsWith('TLS_') ? tls : loadBalancing) !== undefined;
}
