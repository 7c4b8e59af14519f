import { GrpcLbConflictError } from '../../core/errors.js';
import { registeredSchemes } from '../../discovery/index.js';
import { Balancer } from '../balancer/balancer.js';
import {
  type ChannelControlHelper,
  isLoadBalancerNameRegistered,
  registerLoadBalancerType,
  registerResolver,
} from '../experimental.js';
import {
  GRPC_LB,
  GrpcLbConfig,
  LEAST_REQUEST_EXPERIMENTAL,
  LeastRequestExperimentalConfig,
} from '../config/lb-config.js';
import { GRPC_LB_SCHEME, SourceResolver } from '../resolver/resolver.js';

/** Schemes that grpc-js resolves itself, and that other code in the process relies on. */
const DELEGATED_SCHEMES = new Set(['dns', 'unix', 'ipv4', 'ipv6', 'xds']);

const ours = new Set<string>();

type ConfigConstructor = Parameters<typeof registerLoadBalancerType>[2];

function registerPolicy(name: string, config: { createFromJson(json: object): unknown }): void {
  if (ours.has(name)) return;
  if (isLoadBalancerNameRegistered(name)) {
    throw new GrpcLbConflictError(
      `The load-balancing policy "${name}" is already registered with grpc-js, by another library or another copy of nestjs-grpc-lb; ` +
        'keep one of them ("npm ls nestjs-grpc-lb" lists the copies)',
    );
  }
  class NamedBalancer extends Balancer {
    constructor(helper: ChannelControlHelper) {
      super(name, helper);
    }
  }
  // grpc-js only calls createFromJson of configs other than the default.
  registerLoadBalancerType(name, NamedBalancer, config as unknown as ConfigConstructor);
  ours.add(name);
}

/** Registers what this package's own clients need. */
export function registerOwn(): void {
  registerPolicy(GRPC_LB, GrpcLbConfig);
  if (ours.has(GRPC_LB_SCHEME)) return;
  registerResolver(GRPC_LB_SCHEME, SourceResolver);
  ours.add(GRPC_LB_SCHEME);
}

/**
 * Registers the policies and the discovery of this package with grpc-js, for channels that are built without Nest: the
 * policies `grpc_lb` and `least_request_experimental` (gRFC A48), the scheme `grpc-lb:` in front of any target
 * (`grpc-lb:dns:///orders:50051`), and the schemes of all sources that grpc-js does not know (`static:///a:1,b:2`).
 * Call it before the first channel, and again after `registerEndpointSource`; calling it twice does no harm.
 *
 * @throws GrpcLbConflictError if another library has registered one of the policy names; nothing is overwritten.
 */
export function register(): void {
  registerOwn();
  registerPolicy(LEAST_REQUEST_EXPERIMENTAL, LeastRequestExperimentalConfig);
  for (const scheme of registeredSchemes()) {
    if (DELEGATED_SCHEMES.has(scheme) || ours.has(`scheme ${scheme}`)) continue;
    registerResolver(scheme, SourceResolver);
    ours.add(`scheme ${scheme}`);
  }
}
