import type { Target } from '../../core/endpoint-source.js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { targetSubject } from '../target.js';

/** A Service of Kubernetes, and the port of its pods. */
export interface ServiceName {
  readonly service: string;
  /** Undefined: the pod's own namespace, or that of the kubeconfig's context. */
  readonly namespace: string | undefined;
  /** The name of a port of the Service, or the number that the pods listen on. */
  readonly port: string | number;
}

/** RFC 1123, as Kubernetes requires for a namespace; names of Services and ports follow it as well. */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const EXAMPLE = 'as in kubernetes:///orders.shop:grpc';
const NAMES = 'use lower-case letters, digits and "-"';

/** `orders.shop:grpc`, `orders:50051`, `orders.shop.svc.cluster.local:grpc`. */
export function parseServiceName(target: Target): ServiceName {
  const faults: Fault[] = [];
  if (target.authority !== '') {
    faults.push({
      path: 'authority',
      message: `is ${shown(target.authority)}, but the kubeconfig names the cluster; write kubernetes:///${target.authority}, with three slashes`,
    });
  }
  const [host = '', port, ...more] = target.path.split(':');
  const [service = '', namespace, svc, ...domain] = host.replace(/\.$/, '').split('.');
  if (!LABEL.test(service)) {
    faults.push({ path: 'service', message: `is ${shown(service)}; name the Service, ${EXAMPLE}: ${NAMES}` });
  }
  if (namespace !== undefined && !LABEL.test(namespace)) {
    faults.push({ path: 'namespace', message: `is ${shown(namespace)}; ${NAMES}, ${EXAMPLE}` });
  }
  if (svc !== undefined && (svc !== 'svc' || domain.some((label) => !LABEL.test(label)))) {
    const rest = [svc, ...domain].join('.');
    faults.push({ path: 'service', message: `is followed by ${shown(rest)}; write service.namespace, ${EXAMPLE}` });
  }
  const number = Number(port);
  if (port === undefined || port === '') {
    faults.push({ path: 'port', message: `is missing; add the name of the Service's port or its number, ${EXAMPLE}` });
  } else if (more.length > 0) {
    faults.push({ path: 'port', message: `is ${shown([port, ...more].join(':'))}; write one port, ${EXAMPLE}` });
  } else if (/^\d+$/.test(port) ? number < 1 || number > 65_535 : !LABEL.test(port)) {
    faults.push({
      path: 'port',
      message: `is ${shown(port)}; use the name of a port of the Service, or a whole number from 1 to 65535`,
    });
  }
  if (faults.length > 0) throw new GrpcLbOptionsError(targetSubject(target), faults);
  return { service, namespace, port: /^\d+$/.test(port!) ? number : port! };
}
