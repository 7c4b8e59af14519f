import {
  type EffectiveLoadBalancing,
  effectiveLoadBalancing,
  type LoadBalancingOptions,
  wholeLoadBalancingCheck,
} from '../../core/options/load-balancing.js';
import { withoutSecrets } from '../../core/options/secrets.js';
import type { Fault } from '../../core/errors.js';
import { isObject, shown } from '../../core/options/validation.js';
import type { TypedLoadBalancingConfig } from '../experimental.js';

/** The package's own policy name in a service config: `{"loadBalancingConfig": [{"grpc_lb": {...}}]}`. */
export const GRPC_LB = 'grpc_lb';
/** The name that gRFC A48 gives to least request. */
export const LEAST_REQUEST_EXPERIMENTAL = 'least_request_experimental';

/**
 * A config from a service config. On an error here, grpc-js tries the next policy, and finally uses pick_first without
 * a warning; so this accepts a faulty config, and its balancer fails every call with the faults.
 */
export class LbConfig implements TypedLoadBalancingConfig {
  constructor(
    private readonly name: string,
    private readonly json: object,
    readonly loadBalancing: EffectiveLoadBalancing,
    readonly faults: readonly Fault[],
  ) {}

  getLoadBalancerName(): string {
    return this.name;
  }

  toJsonObject(): object {
    // grpc-js prints it in traces.
    return { [this.name]: withoutSecrets<LoadBalancingOptions>(this.json) };
  }
}

/** `{"grpc_lb": {"policy": "round_robin", "pool": {"size": 2}}}`: the keys of `LoadBalancingOptions`. */
export const GrpcLbConfig = {
  createFromJson(json: object): LbConfig {
    const faults: Fault[] = [];
    wholeLoadBalancingCheck(GRPC_LB, json, faults);
    checkKeys(json, faults);
    return new LbConfig(GRPC_LB, json, effectiveLoadBalancing(faults.length === 0 ? json : {}), faults);
  },
};

/** Rejects keys from requests: grpc-js does not show requests to balancers, only Nest's stubs see them. */
function checkKeys({ policy, methods }: LoadBalancingOptions, faults: Fault[]): void {
  const own = Object.entries(isObject(methods) ? methods : {}).map(
    ([name, options]) => [`methods.${name}.policy`, isObject(options) ? options.policy : undefined] as const,
  );
  for (const [path, each] of [['policy', policy] as const, ...own]) {
    if (!isObject(each) || each.name !== 'ring_hash' || !isObject(each.by)) continue;
    faults.push({
      path: `${GRPC_LB}.${path}.by`,
      message: `is ${shown(each.by)}, which a service config cannot use; use a metadata key, as in "x-session-id"`,
    });
  }
}

/** `{"least_request_experimental": {"choiceCount": 2}}` */
export const LeastRequestExperimentalConfig = {
  createFromJson(json: { choiceCount?: unknown }): LbConfig {
    const given = json.choiceCount ?? 2;
    const faults: Fault[] = [];
    // gRFC A48: "choice_count: ... must be >= 2"; "values greater than 10 are clamped to 10".
    if (typeof given !== 'number' || !Number.isInteger(given) || given < 2) {
      faults.push({
        path: `${LEAST_REQUEST_EXPERIMENTAL}.choiceCount`,
        message: `is ${shown(given)}; use a whole number of 2 or more`,
      });
    }
    const choiceCount = Math.min(Number(given), 10);
    const loadBalancing = effectiveLoadBalancing(
      faults.length === 0 ? { policy: { name: 'least_request', choiceCount } } : {},
    );
    return new LbConfig(LEAST_REQUEST_EXPERIMENTAL, json, loadBalancing, faults);
  },
};
