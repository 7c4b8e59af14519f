/** Resources of xDS for tests, as short as they can be. */

export interface TestEndpoint {
  readonly host?: string;
  readonly port: number;
  readonly weight?: number;
  readonly health?: 'UNKNOWN' | 'HEALTHY' | 'UNHEALTHY' | 'DRAINING' | 'TIMEOUT' | 'DEGRADED';
}

export interface TestLocality {
  readonly region?: string;
  readonly zone?: string;
  readonly subZone?: string;
  /** Default 1; null leaves the field out. */
  readonly weight?: number | null;
  readonly priority?: number;
  readonly endpoints: readonly TestEndpoint[];
}

const uint = (value: number | null | undefined): object => (value == null ? {} : { load_balancing_weight: { value } });

export function assignment(
  name: string,
  localities: readonly TestLocality[],
  policy?: object,
): Record<string, unknown> {
  return {
    cluster_name: name,
    ...(policy && { policy }),
    endpoints: localities.map(({ region = '', zone = '', subZone = '', weight = 1, priority = 0, endpoints }) => ({
      locality: { region, zone, sub_zone: subZone },
      ...uint(weight),
      priority,
      lb_endpoints: endpoints.map(({ host = '127.0.0.1', port, weight: own, health = 'UNKNOWN' }) => ({
        endpoint: { address: { socket_address: { address: host, port_value: port } } },
        health_status: health,
        ...uint(own),
      })),
    })),
  };
}

/** A listener whose routes are in a resource of their own. */
export function listener(name: string, route: string): Record<string, unknown> {
  return {
    name,
    api_listener: {
      api_listener: {
        '@type':
          'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
        rds: { route_config_name: route, config_source: { ads: {} } },
        http_filters: [
          {
            name: 'router',
            typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
          },
        ],
      },
    },
  };
}

/** All calls go to one cluster. */
export function routes(name: string, to: string, action: object = {}): Record<string, unknown> {
  return {
    name,
    virtual_hosts: [
      { name: 'all', domains: ['*'], routes: [{ match: { prefix: '' }, route: { cluster: to, ...action } }] },
    ],
  };
}

export function cluster(name: string, more: object = {}): Record<string, unknown> {
  return { name, type: 'EDS', eds_cluster_config: { eds_config: { ads: {} } }, lb_policy: 'ROUND_ROBIN', ...more };
}

type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A policy that is named by its gRPC name, with its JSON (gRFC A52). */
export function customPolicy(name: string, config: Readonly<Record<string, JsonValue>> = {}): object {
  return {
    name,
    typed_config: {
      '@type': 'type.googleapis.com/xds.type.v3.TypedStruct',
      type_url: `type.googleapis.com/${name}`,
      value: struct(config),
    },
  };
}

/** Balances each locality with the given policy, by the weights of the localities. */
export function wrrLocality(policy: object): object {
  return {
    name: 'wrr_locality',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality',
      endpoint_picking_policy: { policies: [{ typed_extension_config: policy }] },
    },
  };
}

export const policies = (...list: readonly object[]): object => ({
  load_balancing_policy: { policies: list.map((policy) => ({ typed_extension_config: policy })) },
});

function struct(object: Readonly<Record<string, JsonValue>>): object {
  return { fields: Object.fromEntries(Object.entries(object).map(([key, value]) => [key, valueOf(value)])) };
}

function valueOf(value: JsonValue): object {
  if (value === null) return { nullValue: 'NULL_VALUE' };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map((each: JsonValue) => valueOf(each)) } };
  return { structValue: struct(value as Readonly<Record<string, JsonValue>>) };
}
