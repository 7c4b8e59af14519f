import { fromJSON, type MessageTypeDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { ENVOY_PROTOS } from './envoy-protos.js';

export const EDS_TYPE_URL = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';

export interface NodeMessage {
  readonly id: string;
  readonly cluster: string;
  readonly locality?: { readonly region?: string; readonly zone?: string; readonly sub_zone?: string };
  readonly metadata?: object;
  readonly user_agent_name: string;
}

export interface DiscoveryRequest {
  /** Set only in the first request of a stream. */
  readonly node?: NodeMessage;
  readonly type_url: string;
  readonly resource_names: readonly string[];
  /** Of the last accepted response. */
  readonly version_info: string;
  /** Of the last response, accepted or not. */
  readonly response_nonce: string;
  /** Why it was rejected. */
  readonly error_detail?: { readonly code: number; readonly message: string };
}

export interface DiscoveryResponse {
  readonly version_info: string;
  readonly type_url: string;
  readonly nonce: string;
  readonly resources: readonly AnyMessage[];
  /** Resources beyond the maximum that is read. */
  readonly unread?: number;
}

export interface AnyMessage {
  readonly type_url: string;
  readonly value: Uint8Array;
}

type HealthStatus = 'UNKNOWN' | 'HEALTHY' | 'UNHEALTHY' | 'DRAINING' | 'TIMEOUT' | 'DEGRADED';

interface UInt32Value {
  readonly value: number;
}

export interface SocketAddressMessage {
  readonly protocol: 'TCP' | 'UDP';
  readonly address: string;
  readonly port_specifier?: 'port_value' | 'named_port';
  readonly port_value?: number;
}

export interface AddressMessage {
  readonly socket_address?: SocketAddressMessage | null;
  readonly pipe?: { readonly path: string } | null;
}

export interface LbEndpointMessage {
  readonly endpoint?: { readonly address: AddressMessage | null } | null;
  readonly endpoint_name?: string;
  /** A number if this package does not know the value. */
  readonly health_status: HealthStatus | number;
  readonly load_balancing_weight: UInt32Value | null;
}

export interface LocalityMessage {
  readonly locality: { readonly region: string; readonly zone: string; readonly sub_zone: string } | null;
  readonly lb_endpoints: readonly LbEndpointMessage[];
  readonly load_balancing_weight: UInt32Value | null;
  readonly priority: number;
  /** Set if the endpoints are not in `lb_endpoints`. */
  readonly lb_config?: string;
}

export interface ClusterLoadAssignment {
  readonly cluster_name: string;
  readonly endpoints: readonly LocalityMessage[];
  readonly policy: {
    readonly drop_overloads: readonly object[];
    readonly overprovisioning_factor: UInt32Value | null;
  } | null;
}

const definitions = fromJSON(ENVOY_PROTOS, {
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});

export const StreamAggregatedResources = (
  definitions['envoy.service.discovery.v3.AggregatedDiscoveryService'] as ServiceDefinition
)['StreamAggregatedResources'] as unknown as {
  readonly path: string;
  readonly requestSerialize: (request: DiscoveryRequest) => Buffer;
};

const assignmentType = definitions['envoy.config.endpoint.v3.ClusterLoadAssignment'] as MessageTypeDefinition<
  object,
  ClusterLoadAssignment
>;

/** @throws Error if the bytes are not such a message. */
export function decodeAssignment(bytes: Uint8Array): ClusterLoadAssignment {
  return assignmentType.deserialize(Buffer.from(bytes));
}
