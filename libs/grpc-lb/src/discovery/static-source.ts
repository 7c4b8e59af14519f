import type { EndpointSourceFactory } from '../core/endpoint-source.js';
import { type Address, addressToString, type Endpoint } from '../core/endpoint.js';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { shown, unknownOption } from '../core/options/validation.js';
import { FixedSource } from './fixed-source.js';
import { readHostPort } from './host-port.js';
import { SEVERAL_TARGETS, targetSubject } from './target.js';

const MAX_WEIGHT = 2 ** 32 - 1;
const PARAMETERS = ['weight'];

/**
 * `static:///10.0.0.1:50051,orders-b:50051;weight=2,unix:/run/orders.sock`: the target lists the endpoints. A host name
 * is one endpoint; each connection resolves it when it connects.
 */
export const staticSourceFactory: EndpointSourceFactory = (target) => {
  const faults: Fault[] = [];
  if (target.authority !== '') {
    faults.push({
      path: 'authority',
      message: `is ${shown(target.authority)}, but a static target has no authority; write static:///host:port, with three slashes`,
    });
  }
  const endpoints = parseEndpoints(target.path, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError(targetSubject(target), faults);
  return new FixedSource(endpoints);
};

/** All readable endpoints; the faults of the others are in `faults`. */
function parseEndpoints(text: string, faults: Fault[]): Endpoint[] {
  const endpoints: Endpoint[] = [];
  const numbers = new Map<string, number>();
  for (const [index, entry] of text.split(',').entries()) {
    const path = `address ${index + 1}`;
    const [addressText, ...parameters] = entry.split(';').map((part) => part.trim());
    const address = parseAddress(path, addressText!, faults);
    const weight = parseWeight(path, parameters, faults);
    if (!address) continue;
    const key = addressToString(address);
    const twin = numbers.get(key);
    if (twin !== undefined) {
      const remedy = 'list each endpoint once; to send it more calls, give it a weight';
      faults.push({ path, message: `is ${shown(addressText)}, the same as address ${twin}; ${remedy}` });
    } else {
      numbers.set(key, index + 1);
      endpoints.push(weight === undefined ? { address } : { address, weight });
    }
  }
  return endpoints;
}

function parseAddress(path: string, text: string, faults: Fault[]): Address | undefined {
  if (text === '') {
    faults.push({ path, message: 'is empty; add an address, or remove the comma' });
    return undefined;
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) && !text.startsWith('unix:')) {
    faults.push({ path, message: `is ${shown(text)}, which is a whole target; ${SEVERAL_TARGETS}` });
    return undefined;
  }
  if (!text.startsWith('unix:')) return readHostPort(path, text, faults);
  // gRPC writes a Unix socket as `unix:path` or as `unix:///absolute/path`.
  const socket = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
  if (socket === '')
    faults.push({ path, message: 'is "unix:"; add the path of the socket, as in unix:/run/orders.sock' });
  return socket === '' ? undefined : { path: socket };
}

function parseWeight(path: string, parameters: readonly string[], faults: Fault[]): number | undefined {
  let weight: number | undefined;
  const seen = new Set<string>();
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    const name = equals < 0 ? parameter : parameter.slice(0, equals);
    const value = equals < 0 ? '' : parameter.slice(equals + 1);
    if (!PARAMETERS.includes(name)) {
      faults.push(unknownOption(`${path} ${shown(name)}`, name, PARAMETERS));
    } else if (seen.has(name)) {
      faults.push({ path: `${path} ${name}`, message: 'is repeated; keep one' });
    } else if (/^\d{1,10}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_WEIGHT) {
      weight = Number(value);
    } else {
      faults.push({
        path: `${path} ${name}`,
        message: `is ${shown(value)}; use a whole number from 1 to ${MAX_WEIGHT}`,
      });
    }
    seen.add(name);
  }
  return weight;
}
