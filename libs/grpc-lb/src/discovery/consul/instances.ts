import { isIPv6 } from 'node:net';
import { type Address, addressToString, type Endpoint, type Locality } from '../../core/endpoint.js';
import type { Fault } from '../../core/errors.js';
import { isObject, shown } from '../../core/options/validation.js';
import { readHostPort } from '../host-port.js';

/** The content of an answer of `/v1/health/service`. */
export interface Instances {
  readonly endpoints: readonly Endpoint[];
  /** Instances in the answer, whatever their checks report. */
  readonly total: number;
  /** The number of healthy instances that cannot be called. */
  readonly faulty: number;
  /** The faults of the first few of those. */
  readonly faults: readonly string[];
}

const MAX_FAULTS = 3;
const MAX_WEIGHT = 2 ** 32 - 1;
/** Twice as many as a client uses; processing more would block the event loop for too long. */
const MAX_INSTANCES = 20_000;

export interface InstanceRules {
  /** Without instances that have a warning check. */
  readonly passing: boolean;
  /** Keeps the order of the answer, which is by distance. */
  readonly near: string | undefined;
  readonly zoneKey: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Converts instances to endpoints one by one, so that nothing else of an answer is kept in memory. Health is evaluated
 * here instead of by the agent (`passing=true`), to distinguish "all are critical" from "there are none".
 */
export class InstanceReader {
  readonly #endpoints = new Map<string, Endpoint>();
  #total = 0;
  #faulty = 0;
  readonly #faults: string[] = [];

  constructor(private readonly rules: InstanceRules) {}

  /** The next instance of the answer. @throws Error if there are more than is plausible. */
  add(entry: unknown): void {
    if (this.#total === MAX_INSTANCES) throw new Error(`the answer has more than ${MAX_INSTANCES} instances`);
    this.#total++;
    const instance = { node: part(entry, 'Node'), service: part(entry, 'Service') };
    const status = worst(part(entry, 'Checks'));
    if (status === 'critical' || (status === 'warning' && this.rules.passing)) return;
    const found: Fault[] = [];
    const endpoint = readInstance(instance, status, this.rules.zoneKey, found);
    if (endpoint) this.#endpoints.set(addressToString(endpoint.address), endpoint);
    if (found.length === 0 || ++this.#faulty > MAX_FAULTS) return;
    const name = text(instance.service.ID) ?? `instance ${this.#total}`;
    this.#faults.push(`${shown(name)}: ${found.map(({ path, message }) => `${path} ${message}`).join(', ')}`);
  }

  /** The endpoints of all instances. */
  read(): Instances {
    const list = [...this.#endpoints];
    // The order of the answer is then meaningless, and must not move clients that use the first endpoint.
    if (this.rules.near === undefined) list.sort(([a], [b]) => (a < b ? -1 : 1));
    const endpoints = list.map(([, endpoint]) => endpoint);
    return { endpoints, total: this.#total, faulty: this.#faulty, faults: this.#faults };
  }
}

type Status = 'passing' | 'warning' | 'critical';

/**
 * The health of an instance is that of its worst check, including those of its node. Maintenance is a critical check.
 */
function worst(checks: Json): Status {
  const all = Object.values(checks).map((check) => (isObject(check) ? (check as Json).Status : undefined));
  if (all.every((status) => status === 'passing')) return 'passing';
  return all.every((status) => status === 'passing' || status === 'warning') ? 'warning' : 'critical';
}

interface Instance {
  readonly node: Json;
  readonly service: Json;
}

function readInstance(instance: Instance, status: Status, zoneKey: string, faults: Fault[]): Endpoint | undefined {
  const address = readAddress(instance, faults);
  const weight = readWeight(part(instance.service, 'Weights'), status, faults);
  if (!address || weight === undefined) return undefined;
  return { address, weight, locality: readLocality(instance, zoneKey) };
}

/** The service's address, or that of its node if it has none. */
function readAddress({ node, service }: Instance, faults: Fault[]): Address | undefined {
  const socket = text(service.SocketPath);
  if (socket !== undefined) return { path: socket };
  const host = text(service.Address) ?? text(node.Address) ?? '';
  return readHostPort('address', `${isIPv6(host) ? `[${host}]` : host}:${String(service.Port)}`, faults);
}

/** A weight of 0 is allowed for warnings only, and takes an instance out while a check warns. */
function readWeight({ Passing = 1, Warning = 1 }: Json, status: Status, faults: Fault[]): number | undefined {
  const weight = status === 'passing' ? Passing : Warning;
  if (Number.isInteger(weight) && (weight as number) >= 1 && (weight as number) <= MAX_WEIGHT) return weight as number;
  if (status === 'passing' || weight !== 0) {
    faults.push({ path: 'weight', message: `is ${shown(weight)}; use a whole number from 1 to ${MAX_WEIGHT}` });
  }
  return undefined;
}

/** Consul's own locality wins; most setups have the region in the datacenter, and the zone in metadata. */
function readLocality({ node, service }: Instance, zoneKey: string): Locality {
  const own = [part(service, 'Locality'), part(node, 'Locality')].find(({ Region }) => text(Region) !== undefined);
  const region = text(own?.Region) ?? text(node.Datacenter);
  const zone = text(own?.Zone) ?? text(part(service, 'Meta')[zoneKey]) ?? text(part(node, 'Meta')[zoneKey]);
  const subZone = text(node.Node);
  return {
    ...(region !== undefined && { region }),
    ...(zone !== undefined && { zone }),
    ...(subZone !== undefined && { subZone }),
  };
}

function part(value: unknown, name: string): Json {
  const found = isObject(value) ? (value as Json)[name] : undefined;
  return typeof found === 'object' && found !== null ? (found as Json) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
