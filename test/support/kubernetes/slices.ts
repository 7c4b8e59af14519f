/** EndpointSlices as the controller of Kubernetes writes them. */

export interface PodEntry {
  readonly ip: string;
  readonly ready?: boolean | null;
  readonly serving?: boolean;
  readonly terminating?: boolean;
  readonly zone?: string;
  readonly node?: string;
  readonly uid?: string;
  readonly forZones?: readonly string[];
  readonly forNodes?: readonly string[];
}

export interface SliceSpec {
  readonly name: string;
  readonly service?: string;
  readonly namespace?: string;
  readonly addressType?: string;
  /** Default: one port `grpc`, 50051. */
  readonly ports?: readonly object[] | null;
  readonly pods: readonly (PodEntry | string)[];
}

export interface SliceObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
  };
  readonly addressType: string;
  readonly ports: readonly object[] | null;
  readonly endpoints: readonly object[] | null;
}

export const GRPC_PORT = { name: 'grpc', port: 50051, protocol: 'TCP' };

export function slice({
  name,
  service = 'orders',
  namespace = 'shop',
  addressType = 'IPv4',
  ports = [GRPC_PORT],
  pods,
}: SliceSpec): SliceObject {
  const labels = {
    'kubernetes.io/service-name': service,
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  };
  return { metadata: { name, namespace, labels }, addressType, ports, endpoints: pods.map(podEntry) };
}

function podEntry(pod: PodEntry | string): object {
  const {
    ip,
    ready = true,
    serving,
    terminating,
    zone,
    node,
    uid,
    forZones,
    forNodes,
  } = typeof pod === 'string' ? ({ ip: pod } as PodEntry) : pod;
  const names = (list: readonly string[] | undefined) => list?.map((name) => ({ name }));
  return {
    addresses: [ip],
    conditions: {
      ...(ready !== null && { ready }),
      serving: serving ?? ready !== false,
      terminating: terminating ?? false,
    },
    ...(zone !== undefined && { zone }),
    ...(node !== undefined && { nodeName: node }),
    ...((forZones ?? forNodes) && { hints: { forZones: names(forZones), forNodes: names(forNodes) } }),
    targetRef: { kind: 'Pod', name: `pod-${uid ?? ip}`, uid: uid ?? `uid-${ip}` },
  };
}
