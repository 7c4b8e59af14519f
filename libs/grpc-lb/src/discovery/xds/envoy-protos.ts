/**
 * The part of Envoy's protos (v3) that is needed to request endpoints, with their field numbers, in the form that
 * proto-loader takes. All of them are hundreds of files, which would be read and parsed at each start of an
 * application.
 */

interface MessageJson {
  readonly fields: Record<string, { type: string; id: number }>;
  readonly oneofs: Record<string, { oneof: string[] }>;
}

/** `repeated Any resources = 2; string nonce = 5`: the fields of a message as a proto file has them. */
function message(fields: string, oneofs: Readonly<Record<string, string[]>> = {}): MessageJson {
  const entries = fields.split(';').map((text): [string, { type: string; id: number }] => {
    const [, rule, keyType, type, name, id] =
      /^\s*(?:(repeated) |map<(\w+), )?([\w.]+)>? (\w+) = (\d+)\s*$/.exec(text) ?? [];
    return [name!, { type: type!, id: Number(id), ...(rule && { rule }), ...(keyType && { keyType }) }];
  });
  return {
    fields: Object.fromEntries(entries),
    oneofs: Object.fromEntries(Object.entries(oneofs).map(([name, oneof]) => [name, { oneof }])),
  };
}

const protobuf = {
  Any: message('string type_url = 1; bytes value = 2'),
  UInt32Value: message('uint32 value = 1'),
  Struct: message('map<string, Value> fields = 1'),
  ListValue: message('repeated Value values = 1'),
  NullValue: { values: { NULL_VALUE: 0 } },
  Value: message(
    'NullValue nullValue = 1; double numberValue = 2; string stringValue = 3; bool boolValue = 4; ' +
      'Struct structValue = 5; ListValue listValue = 6',
    { kind: ['nullValue', 'numberValue', 'stringValue', 'boolValue', 'structValue', 'listValue'] },
  ),
};

const core = {
  Locality: message('string region = 1; string zone = 2; string sub_zone = 3'),
  Node: message(
    'string id = 1; string cluster = 2; google.protobuf.Struct metadata = 3; Locality locality = 4; ' +
      'string user_agent_name = 6; string user_agent_version = 7; repeated string client_features = 10',
  ),
  SocketAddress: {
    ...message('Protocol protocol = 1; string address = 2; uint32 port_value = 3; string named_port = 4', {
      port_specifier: ['port_value', 'named_port'],
    }),
    nested: { Protocol: { values: { TCP: 0, UDP: 1 } } },
  },
  Pipe: message('string path = 1'),
  Address: message('SocketAddress socket_address = 1; Pipe pipe = 2', { address: ['socket_address', 'pipe'] }),
  HealthStatus: { values: { UNKNOWN: 0, HEALTHY: 1, UNHEALTHY: 2, DRAINING: 3, TIMEOUT: 4, DEGRADED: 5 } },
};

const endpoint = {
  Endpoint: message('config.core.v3.Address address = 1'),
  LbEndpoint: message(
    'Endpoint endpoint = 1; string endpoint_name = 5; config.core.v3.HealthStatus health_status = 2; ' +
      'google.protobuf.UInt32Value load_balancing_weight = 4',
    { host_identifier: ['endpoint', 'endpoint_name'] },
  ),
  Elsewhere: message('string leds_collection_name = 2'),
  LocalityLbEndpoints: message(
    'config.core.v3.Locality locality = 1; repeated LbEndpoint lb_endpoints = 2; ' +
      'google.protobuf.UInt32Value load_balancing_weight = 3; uint32 priority = 5; ' +
      'Elsewhere load_balancer_endpoints = 7; Elsewhere leds_cluster_locality_config = 8',
    { lb_config: ['load_balancer_endpoints', 'leds_cluster_locality_config'] },
  ),
  DropOverload: message('string category = 1'),
  Policy: message('repeated DropOverload drop_overloads = 2; google.protobuf.UInt32Value overprovisioning_factor = 3'),
  ClusterLoadAssignment: message(
    'string cluster_name = 1; repeated LocalityLbEndpoints endpoints = 2; Policy policy = 4',
  ),
};

const discovery = {
  DiscoveryRequest: message(
    'string version_info = 1; config.core.v3.Node node = 2; repeated string resource_names = 3; ' +
      'string type_url = 4; string response_nonce = 5; google.rpc.Status error_detail = 6',
  ),
  DiscoveryResponse: message(
    'string version_info = 1; repeated google.protobuf.Any resources = 2; string type_url = 4; string nonce = 5',
  ),
  AggregatedDiscoveryService: {
    methods: {
      StreamAggregatedResources: {
        requestType: 'DiscoveryRequest',
        requestStream: true,
        responseType: 'DiscoveryResponse',
        responseStream: true,
        comment: '',
      },
    },
  },
};

/** Names are resolved from the inside out, so `config.core.v3.Locality` is that of the package `envoy`. */
export const ENVOY_PROTOS = {
  nested: {
    google: {
      nested: {
        protobuf: { nested: protobuf },
        rpc: { nested: { Status: message('int32 code = 1; string message = 2') } },
      },
    },
    envoy: {
      nested: {
        config: {
          nested: { core: { nested: { v3: { nested: core } } }, endpoint: { nested: { v3: { nested: endpoint } } } },
        },
        service: { nested: { discovery: { nested: { v3: { nested: discovery } } } } },
      },
    },
  },
};
