/** Names of environment variables. */

/** Variables of the package begin with it. */
export const PREFIX = 'GRPC_LB_';

/** Where the process runs, not one client; who needs it reads it directly. */
export const PLACE: readonly string[] = ['GRPC_LB_ZONE', 'GRPC_LB_NODE'];

/**
 * Variables that Kubernetes sets for a Service whose name begins with `grpc-lb`: `GRPC_LB_DEMO_SERVICE_HOST`,
 * `_PORT_3000_TCP`, ...
 */
export const KUBERNETES_LINK: RegExp =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
