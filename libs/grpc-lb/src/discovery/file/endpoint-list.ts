import { type Address, addressToString, type Endpoint, type Locality } from '../../core/endpoint.js';
import type { Fault } from '../../core/errors.js';
import { type Check, integer, isObject, shown, unknownOption } from '../../core/options/validation.js';
import { readHostPort } from '../host-port.js';
import type { Entries } from './document.js';

export interface EndpointList {
  readonly endpoints: readonly Endpoint[];
  /** Faults of entries, for people; empty if there are none. */
  readonly warning: string;
}

const MAX_FAULTS = 3;
/** Host names end at 254 characters, and paths of sockets before. */
const MAX_ADDRESS = 300;
/** The number of characters of a field's name that are compared with known fields. */
const MAX_FIELD = 50;
/** For an entry that is only counted. */
const UNTOLD: Fault = { path: '', message: '' };
const LOCALITY = ['region', 'zone', 'subZone'] as const;
const NUMBERS: Readonly<Record<'weight' | 'priority', Check>> = {
  weight: integer({ min: 1, max: 2 ** 32 - 1 }),
  priority: integer({ min: 0, max: 127 }),
};
const FIELDS = ['address', ...Object.keys(NUMBERS), ...LOCALITY, 'degraded'];

/** Converts entries to endpoints. Invalid entries are skipped and reported; throws if all of them are invalid. */
export function readEndpoints({ entries, place }: Entries): EndpointList {
  const endpoints = new Map<string, Endpoint>();
  const told: string[] = [];
  let faulty = 0;
  for (const [index, entry] of entries.entries()) {
    const faults: Fault[] = [];
    const endpoint = readEntry(entry, faults, told.length < MAX_FAULTS);
    const key = endpoint && addressToString(endpoint.address);
    const twin = key !== undefined && endpoints.has(key);
    if (twin) faults.push({ path: 'address', message: `is ${shown(key)}, which is listed above` });
    else if (key !== undefined) endpoints.set(key, endpoint!);
    if (faults.length === 0 || ++faulty > MAX_FAULTS) continue;
    const verdict = endpoint && !twin ? '' : ' is not used';
    told.push(`${place(index)}${verdict}: ${faults.map(({ path, message }) => `${path} ${message}`).join(', ')}`);
  }
  const warning = told.join('; ') + (faulty > told.length ? `; and ${faulty - told.length} more` : '');
  if (entries.length > 0 && endpoints.size === 0) throw new Error(`lists no usable endpoint: ${warning}`);
  return { endpoints: [...endpoints.values()], warning };
}

/** `host:port`, or an object with `address`. An unknown field is reported, but the endpoint is used. */
function readEntry(entry: unknown, faults: Fault[], isTold: boolean): Endpoint | undefined {
  const fields = (isObject(entry) ? entry : { address: entry }) as Readonly<Record<string, unknown>>;
  const wrong: Fault[] = [];
  const address = readAddress(fields.address, wrong);
  for (const [name, check] of Object.entries(NUMBERS)) {
    if (fields[name] !== undefined) check(name, fields[name], wrong);
  }
  const locality = readLocality(fields, wrong);
  const { degraded } = fields;
  if (degraded !== undefined && typeof degraded !== 'boolean')
    wrong.push({ path: 'degraded', message: `is ${kindOf(degraded)}; use true or false` });
  const unknown = Object.keys(fields).filter((name) => !FIELDS.includes(name));
  faults.push(...wrong);
  if (unknown.length > 0) faults.push(...(isTold ? unknown.slice(0, MAX_FAULTS).map(unknownField) : [UNTOLD]));
  if (!address || wrong.length > 0) return undefined;
  const { weight, priority } = fields as Pick<Endpoint, 'weight' | 'priority'>;
  return {
    address,
    ...(weight !== undefined && { weight }),
    ...(priority !== undefined && { priority }),
    ...(locality && { locality }),
    ...(degraded === true && { degraded }),
  };
}

/** Finding a similar name takes longer than reading an entry. */
function unknownField(name: string): Fault {
  return unknownOption(shown(name), name.slice(0, MAX_FIELD), FIELDS);
}

function readAddress(value: unknown, faults: Fault[]): Address | undefined {
  if (typeof value !== 'string' || value.length > MAX_ADDRESS) {
    faults.push({ path: 'address', message: `is ${kindOf(value)}; write host:port, or unix:/path` });
    return undefined;
  }
  const socket = /^unix:(?:\/\/(?=\/))?(.+)$/.exec(value)?.[1];
  return socket === undefined ? readHostPort('address', value, faults) : { path: socket };
}

/** Shortened, because a value may be large and repeated a thousand times. */
function kindOf(value: unknown): string {
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : shown(value);
}

/** Some clouds number their zones, so a number is accepted as well as a string. */
function readLocality(fields: Readonly<Record<string, unknown>>, faults: Fault[]): Locality | undefined {
  const parts = LOCALITY.flatMap((name): [string, string][] => {
    const value = fields[name];
    if (value === undefined) return [];
    if ((typeof value === 'string' && value !== '') || typeof value === 'number') return [[name, String(value)]];
    faults.push({ path: name, message: `is ${kindOf(value)}; use a string` });
    return [];
  });
  return parts.length > 0 ? Object.fromEntries(parts) : undefined;
}
