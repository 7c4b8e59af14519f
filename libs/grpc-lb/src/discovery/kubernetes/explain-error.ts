import { GrpcLbDiscoveryError } from '../../core/errors.js';
import { ApiError, MalformedError } from './slice-api.js';

export interface Asked {
  readonly service: string;
  readonly namespace: string;
  readonly apiVersion: string;
  /** The URL of the API server, if known. */
  readonly server: string | undefined;
}

/** Explains a failure to an operator. The same failure has the same text. */
export function explainError(error: unknown, asked: Asked): GrpcLbDiscoveryError {
  const { service, namespace, server } = asked;
  const message = error instanceof Error ? error.message : String(error);
  if (server === undefined)
    return new GrpcLbDiscoveryError(`the Kubernetes client cannot be set up: ${message}`, { cause: error });
  const remedy = remedyOf(error, asked);
  const what =
    error instanceof ApiError
      ? `the API server refuses access to the EndpointSlices of "${service}" in namespace "${namespace}": ${message}`
      : error instanceof MalformedError
        ? `the API server at ${server} sent ${message}`
        : `the API server at ${server} cannot be queried: ${withCode(error, message)}`;
  return new GrpcLbDiscoveryError(remedy === '' ? what : `${what}; ${remedy}`, { cause: error });
}

function remedyOf(error: unknown, { service, namespace, apiVersion }: Asked): string {
  if (!(error instanceof ApiError)) return '';
  const tryIt = `"kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${service}"`;
  switch (error.status) {
    case 401:
      return `in a pod, check that its service account token is mounted (automountServiceAccountToken); elsewhere, check that ${tryIt} works`;
    case 403:
      return `bind a Role with the verbs list and watch on endpointslices (discovery.k8s.io) in that namespace to the service account of this pod`;
    case 404:
      return `check that the cluster serves discovery.k8s.io/${apiVersion} ("kubectl api-versions"), or set the option apiVersion`;
    default:
      return '';
  }
}

/**
 * Most of Node's messages already contain the code: `connect ECONNREFUSED 10.0.0.1:443`; that of several attempts does
 * not.
 */
function withCode(error: unknown, message: string): string {
  const { code } = Object(error) as NodeJS.ErrnoException;
  return typeof code === 'string' && !message.includes(code) ? [code, message].filter(Boolean).join(', ') : message;
}
