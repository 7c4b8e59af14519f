import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { isObject, shown } from '../../core/options/validation.js';
import type { Hints } from './hints.js';

/** The address family of an EndpointSlice. */
export type AddressFamily = 'IPv4' | 'IPv6';

/** How calls to a pod are handled. */
export type Condition = 'ready' | 'terminating-serving' | 'unusable';

export interface SliceEndpoint extends Hints {
  readonly host: string;
  /** Identifies the pod; an address may pass from one pod to the next. */
  readonly uid: string;
  readonly condition: Condition;
  readonly terminating: boolean;
  readonly zone: string | undefined;
  readonly node: string | undefined;
}

export interface SlicePort {
  /** Empty if the Service has a single, unnamed port. */
  readonly name: string;
  /** Undefined: any. */
  readonly port: number | undefined;
}

/** The part of an EndpointSlice that is used here, checked. */
export interface Slice {
  readonly name: string;
  readonly addressType: AddressFamily | 'FQDN';
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

type Loose = Readonly<Record<string, unknown>>;

const loose = (value: unknown): Loose => (isObject(value) ? (value as Loose) : {});
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= MAX_NAME ? value : undefined;
/** Go writes an empty list as null, or omits it. */
const listOf = (value: unknown): readonly unknown[] | undefined =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : undefined;

export function nameOf(object: unknown): string | undefined {
  return textOf(loose(loose(object)['metadata'])['name']);
}

/**
 * The limits of the API itself: "The maximum number of endpoints is 1000". More ports would be possible there, but
 * never occur.
 */
const MAX_ENDPOINTS = 1000;
const MAX_PORTS = 1000;
/** "May contain a maximum of 8 entries." */
const MAX_HINTS = 8;
/** Kubernetes names have at most 253 characters. */
const MAX_NAME = 253;

/**
 * Reads an object from the API server. Returns a string with the reason if it is not a slice; if some entries are
 * invalid, the others are used, and `warn` is called.
 */
export function readSlice(object: unknown, warn: (text: string) => void): Slice | string {
  const { addressType, ports, endpoints } = loose(object);
  const name = nameOf(object);
  if (name === undefined) return `an EndpointSlice without a name: ${shown(object)}`;
  if (addressType !== 'IPv4' && addressType !== 'IPv6' && addressType !== 'FQDN')
    return `EndpointSlice ${name} has the addressType ${shown(addressType)}, which is unknown`;
  const portList = listOf(ports);
  const endpointList = listOf(endpoints);
  if (!portList || !endpointList) return `EndpointSlice ${name} has ports or endpoints that are not lists`;
  if (addressType === 'FQDN') return { name, addressType, ports: [], endpoints: [] };
  if (portList.length > MAX_PORTS || endpointList.length > MAX_ENDPOINTS) {
    warn(
      `EndpointSlice ${name} has ${endpointList.length} endpoints and ${portList.length} ports; the first ` +
        `${MAX_ENDPOINTS} of each are used`,
    );
  }
  return {
    name,
    addressType,
    ports: portList.slice(0, MAX_PORTS).flatMap((port) => readPort(loose(port))),
    endpoints: readEndpoints(name, addressType, endpointList.slice(0, MAX_ENDPOINTS), warn),
  };
}

/** One warning, whatever the number of invalid entries. */
function readEndpoints(
  name: string,
  family: AddressFamily,
  list: readonly unknown[],
  warn: (text: string) => void,
): SliceEndpoint[] {
  const endpoints: SliceEndpoint[] = [];
  for (const entry of list) {
    const endpoint = readEndpoint(family, loose(entry));
    if (endpoint) endpoints.push(endpoint);
  }
  const faulty = list.length - endpoints.length;
  if (faulty > 0) {
    const first = list.find((entry) => !readEndpoint(family, loose(entry)));
    const more = faulty === 1 ? 'and is ignored' : `and is ignored, with ${faulty - 1} more`;
    warn(`EndpointSlice ${name}: ${shown(first)} has no ${family} address, ${more}`);
  }
  return endpoints;
}

function readPort({ name, port, protocol }: Loose): SlicePort[] {
  // gRPC uses TCP, which is also the default protocol of a port.
  if ((protocol ?? 'TCP') !== 'TCP') return [];
  if (port === undefined || port === null) return [{ name: textOf(name) ?? '', port: undefined }];
  const good = Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535;
  return good ? [{ name: textOf(name) ?? '', port: port as number }] : [];
}

function readEndpoint(family: AddressFamily, endpoint: Loose): SliceEndpoint | undefined {
  // "Consumers must handle different types of addresses in the context of their own capabilities"; all addresses of an
  // endpoint belong to the same pod, and, as in kube-proxy, the first is used.
  const address: unknown = listOf(endpoint['addresses'])?.[0];
  const host = typeof address === 'string' ? canonical(family, address) : undefined;
  if (host === undefined) return undefined;
  const { ready, serving, terminating } = loose(endpoint['conditions']);
  const { forZones, forNodes } = loose(endpoint['hints']);
  return {
    host,
    uid: textOf(loose(endpoint['targetRef'])['uid']) ?? '',
    condition: conditionOf(ready, serving, terminating),
    terminating: terminating === true,
    zone: textOf(endpoint['zone']),
    node: textOf(endpoint['nodeName']),
    forZones: namesIn(forZones),
    forNodes: namesIn(forNodes),
  };
}

/** Shared by all endpoints without hints, which are nearly all. */
const NONE: readonly string[] = [];

function namesIn(hints: unknown): readonly string[] {
  if (!Array.isArray(hints) || hints.length === 0) return NONE;
  return hints.slice(0, MAX_HINTS).flatMap((hint) => textOf(loose(hint)['name']) ?? []);
}

function canonical(family: AddressFamily, address: string): string | undefined {
  if (family === 'IPv4') return isIPv4(address) ? address : undefined;
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : undefined;
}

/**
 * discovery.k8s.io/v1: "ready ... A nil value should be interpreted as "true""; "serving ... If nil, consumers should
 * defer to the ready condition"; a nil `terminating` means that it does not. `ready` may be true for a pod that
 * terminates (publishNotReadyAddresses), and yet its SIGTERM has been sent.
 */
function conditionOf(ready: unknown, serving: unknown, terminating: unknown): Condition {
  const isReady = ready !== false;
  if (terminating !== true) return isReady ? 'ready' : 'unusable';
  return (typeof serving === 'boolean' ? serving : isReady) ? 'terminating-serving' : 'unusable';
}
