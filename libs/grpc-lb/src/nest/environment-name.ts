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

/** What Kubernetes sets for a Service whose name begins with `grpc-lb`. */
const KUBERNETES_LINK = /_(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_|$)/;

/**
 * The variables for these clients that are not among the overrides: without `grpcLbConfig` they would have
 * no effect, and nothing would say so.
 */
export function unreadVariables(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
  overrides: Readonly<Record<string, unknown>> = {},
): string[] {
  const isOf = (variable: string, name: string): boolean => variable.startsWith(`${PREFIX}${name}_`);
  // One of ORDERS_CLIENT begins as one of ORDERS does: whoever reads the environment has found the client that is meant.
  const read = Object.keys(overrides);
  return Object.keys(environment)
    .filter((variable) => names.some((name) => isOf(variable, name)) && !read.some((name) => isOf(variable, name)))
    .filter((variable) => environment[variable] !== '' && !KUBERNETES_LINK.test(variable))
    .toSorted();
}
