import { isIPv4 } from 'node:net';
import { addressToString, type Address, type Endpoint, type Locality } from '../../core/endpoint.js';
import type { Fault } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { readHostPort } from '../host-port.js';
import type {
  AddressMessage,
  ClusterLoadAssignment,
  LbEndpointMessage,
  LocalityMessage,
  SocketAddressMessage,
} from './eds-messages.js';
import { endpointWeights } from './locality-weights.js';

/** A ClusterLoadAssignment in the terms of this package; if it has faults, it must not be used. */
export interface LoadAssignment {
  readonly endpoints: readonly Endpoint[];
  /** Features that the control plane requests and this package does not support. */
  readonly warnings: readonly string[];
  readonly faults: readonly Fault[];
}

/** Envoy: "the default overprovisioning factor is 140 percent". */
const OVERPROVISIONING_PERCENT = 140;
const MAX_PRIORITY = 127;
const MAX_WEIGHT_SUM = 2 ** 32 - 1;
/** The maximum number of faults that an error lists. */
const MAX_FAULTS = 10;

interface Weighed {
  readonly endpoint: Endpoint;
  readonly weight: number;
}

interface Group {
  readonly priority: number;
  readonly weight: number | undefined;
  readonly size: number;
  /** The usable ones. */
  readonly endpoints: readonly Weighed[];
}

/**
 * gRFC A27: only healthy endpoints, and those of unknown health, are used. Envoy uses degraded ones as well, where the
 * healthy ones cannot carry all calls.
 */
const USABLE: ReadonlySet<unknown> = new Set(['UNKNOWN', 'HEALTHY', 'DEGRADED']);

export function readAssignment(message: ClusterLoadAssignment): LoadAssignment {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  const groups: Group[] = [];
  for (const [i, locality] of message.endpoints.entries()) {
    groups.push(readLocality(`endpoints[${i}]`, locality, seen, faults));
    if (faults.length >= MAX_FAULTS) break;
  }
  const percent = message.policy?.overprovisioning_factor?.value ?? OVERPROVISIONING_PERCENT;
  if (percent === 0) faults.push({ path: 'policy.overprovisioning_factor', message: 'is 0; use 1 or more' });
  const byPriority = groupByPriority(groups);
  if (faults.length === 0) checkPriorities(byPriority, faults);
  if (faults.length > 0) return { endpoints: [], warnings: [], faults: faults.slice(0, MAX_FAULTS) };
  return {
    endpoints: [...byPriority.values()].flatMap((ofPriority) => weighed(ofPriority, percent / 100)),
    warnings: message.policy?.drop_overloads.length
      ? [`"${message.cluster_name}" sets drop_overloads, which this client does not support; no call is dropped`]
      : [],
    faults,
  };
}

function readLocality(path: string, message: LocalityMessage, seen: Set<string>, faults: Fault[]): Group {
  if (message.lb_config)
    faults.push({ path, message: `lists its endpoints in ${message.lb_config}; use lb_endpoints` });
  const locality = readLocalityName(message.locality);
  const endpoints: Weighed[] = [];
  for (const [i, each] of message.lb_endpoints.entries()) {
    const address = readEndpoint(`${path}.lb_endpoints[${i}]`, each, seen, faults);
    if (faults.length >= MAX_FAULTS) break;
    if (!address || !USABLE.has(each.health_status)) continue;
    const endpoint = {
      address,
      ...(locality && { locality }),
      ...(message.priority > 0 && { priority: message.priority }),
      ...(each.health_status === 'DEGRADED' && { degraded: true }),
    };
    endpoints.push({ endpoint, weight: each.load_balancing_weight?.value ?? 1 });
  }
  return {
    priority: message.priority,
    weight: message.load_balancing_weight?.value,
    size: message.lb_endpoints.length,
    endpoints,
  };
}

/** All are checked, even those that are unusable now, because the control plane will use them later. */
function readEndpoint(
  path: string,
  message: LbEndpointMessage,
  seen: Set<string>,
  faults: Fault[],
): Address | undefined {
  if (message.load_balancing_weight?.value === 0)
    faults.push({ path, message: 'has load_balancing_weight 0; use 1 or more, or remove this option' });
  const address = readAddress(`${path}.endpoint.address`, message.endpoint?.address, faults);
  if (!address) return undefined;
  const key = addressToString(address);
  if (seen.has(key)) faults.push({ path, message: `is ${key}, which is a duplicate; list each address once` });
  seen.add(key);
  return address;
}

function readAddress(path: string, message: AddressMessage | null | undefined, faults: Fault[]): Address | undefined {
  if (message?.pipe?.path) return { path: message.pipe.path };
  if (message?.socket_address) return readSocketAddress(path, message.socket_address, faults);
  faults.push({ path, message: 'is missing; use a socket_address, or a pipe with a path' });
  return undefined;
}

function readSocketAddress(path: string, message: SocketAddressMessage, faults: Fault[]): Address | undefined {
  const { protocol, address, port_specifier, port_value = 0 } = message;
  if (protocol !== 'TCP') faults.push({ path, message: `has the protocol ${shown(protocol)}; use TCP` });
  if (port_specifier === 'named_port') {
    faults.push({ path, message: 'has a named_port; use a port_value' });
    return undefined;
  }
  // Most addresses are IPv4, and this is cheaper.
  if (isIPv4(address) && port_value >= 1 && port_value <= 65_535) return { host: address, port: port_value };
  const text = address.includes(':') ? `[${address}]:${port_value}` : `${address}:${port_value}`;
  return readHostPort(path, text, faults);
}

function readLocalityName(message: LocalityMessage['locality']): Locality | undefined {
  const { region, zone, sub_zone: subZone } = message ?? {};
  const locality = { ...(region && { region }), ...(zone && { zone }), ...(subZone && { subZone }) };
  return Object.keys(locality).length === 0 ? undefined : locality;
}

function groupByPriority(groups: readonly Group[]): Map<number, Group[]> {
  const byPriority = new Map<number, Group[]>();
  for (const group of groups.toSorted((a, b) => a.priority - b.priority)) {
    const ofPriority = byPriority.get(group.priority);
    if (ofPriority) ofPriority.push(group);
    else byPriority.set(group.priority, [group]);
  }
  return byPriority;
}

function checkPriorities(byPriority: ReadonlyMap<number, readonly Group[]>, faults: Fault[]): void {
  for (const [i, [priority, groups]] of [...byPriority].entries()) {
    const path = `priority ${priority}`;
    // gRFC A27: priorities "must start from 0 and increase by 1".
    if (priority !== i) faults.push({ path, message: `has localities, but priority ${i} has none; close the gap` });
    if (priority > MAX_PRIORITY) faults.push({ path, message: `is too high; use 0 to ${MAX_PRIORITY}` });
    const sum = groups.reduce((total, { weight = 0 }) => total + weight, 0);
    if (sum > MAX_WEIGHT_SUM)
      faults.push({ path, message: `has locality weights with a sum of ${sum}; use ${MAX_WEIGHT_SUM} at most` });
    if (faults.length > 0) return;
  }
}

function weighed(groups: readonly Group[], factor: number): Endpoint[] {
  const localities = groups.map((each) => ({ ...each, weights: each.endpoints.map(({ weight }) => weight) }));
  const weights = endpointWeights(localities, factor);
  return groups.flatMap(({ endpoints }, i) =>
    endpoints.flatMap(({ endpoint }, j) => {
      const weight = weights[i]?.[j];
      if (weight === undefined) return [];
      return weight === 1 ? [endpoint] : [{ ...endpoint, weight }];
    }),
  );
}
