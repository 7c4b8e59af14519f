import type { Endpoint, Locality } from '../../core/endpoint.js';
import { endpointWeights } from '../../discovery/xds/locality-weights.js';
import type { GrpcEndpoint } from '../experimental.js';

/** The attributes that @grpc/grpc-js-xds adds to an endpoint: Envoy's locality, and the product of both weights. */
interface XdsEndpoint extends GrpcEndpoint {
  readonly locality: { readonly region?: string; readonly zone?: string; readonly sub_zone?: string };
  readonly localityWeight: number;
  readonly endpointWeight: number;
}

/**
 * Converts the endpoints that a resolver passes to the balancer. The attributes from this package's resolver arrive
 * unchanged; another library's resolver may group addresses, and that of xDS uses its own attributes.
 */
export function endpointsOf(list: readonly GrpcEndpoint[]): readonly Endpoint[] {
  if (list.every(isOwn)) return list;
  return list.every(isXds) ? xdsEndpoints(list) : list.flatMap(asEndpoints);
}

/** From this package's resolver. */
function isOwn(endpoint: GrpcEndpoint): endpoint is GrpcEndpoint & Endpoint {
  return 'address' in endpoint;
}

function isXds(endpoint: GrpcEndpoint): endpoint is XdsEndpoint {
  return 'localityWeight' in endpoint && 'endpointWeight' in endpoint && 'locality' in endpoint;
}

function asEndpoints({
  addresses,
  weight,
  locality,
  priority,
  degraded,
}: GrpcEndpoint & Partial<Endpoint>): Endpoint[] {
  return addresses.map((address) => ({ address, weight, locality, priority, degraded }));
}

function xdsEndpoints(list: readonly XdsEndpoint[]): Endpoint[] {
  const groups = new Map<string, XdsEndpoint[]>();
  for (const endpoint of list) {
    const key = JSON.stringify(endpoint.locality);
    const group = groups.get(key);
    if (group) group.push(endpoint);
    else groups.set(key, [endpoint]);
  }
  const localities = [...groups.values()].map((endpoints) => ({
    endpoints,
    weight: endpoints[0]!.localityWeight,
    weights: endpoints.map(({ endpointWeight, localityWeight }) => endpointWeight / localityWeight),
    size: endpoints.length,
  }));
  const weights = endpointWeights(localities, 1);
  return localities.flatMap(({ endpoints }, i) =>
    endpoints.map((endpoint, j): Endpoint => {
      const locality = localityOf(endpoint);
      // Further addresses are the same backend over the other IP version.
      return { address: endpoint.addresses[0]!, weight: weights[i]?.[j], ...(locality && { locality }) };
    }),
  );
}

function localityOf({ locality: { region, zone, sub_zone: subZone } }: XdsEndpoint): Locality | undefined {
  const locality = { ...(region && { region }), ...(zone && { zone }), ...(subZone && { subZone }) };
  return Object.keys(locality).length === 0 ? undefined : locality;
}
