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

const PREFIX = 'GRPC_LB_';

/** Variables that Kubernetes sets for a Service whose name begins with `grpc-lb`. */
const KUBERNETES_LINK = /_(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_|$)/;

/**
 * The variables for these clients that are not among the overrides: without `grpcLbConfig` they would silently have no
 * effect.
 */
export function unreadVariables(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
  overrides: Readonly<Record<string, unknown>> = {},
): string[] {
  const isOf = (variable: string, name: string): boolean => variable.startsWith(`${PREFIX}${name}_`);
  // A variable of ORDERS_CLIENT also begins like one of ORDERS: the reader of the environment has found the right
  // client.
  const read = Object.keys(overrides);
  return Object.keys(environment)
    .filter((variable) => names.some((name) => isOf(variable, name)) && !read.some((name) => isOf(variable, name)))
    .filter((variable) => environment[variable] !== '' && !KUBERNETES_LINK.test(variable))
    .toSorted();
}
