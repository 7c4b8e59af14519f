import { CONNECTION_SPECIFIC_HEADERS } from '../connection-headers.js';
import { boolean, type Check, fields, integer, isObject, number, shown } from './validation.js';

/** Health checks (gRFC A17), and what happens if too few endpoints are healthy. */
export interface HealthCheckOptions {
  /**
   * Whether the client watches `grpc.health.v1`. Without it an endpoint is healthy while it is connected.
   *
   * @default true, where the server offers it
   */
  readonly enabled?: boolean;
  /**
   * Service name to watch, as the health service of the server knows it; the empty name is the server as a whole.
   *
   * @default `""`
   */
  readonly service?: string;
  /**
   * Metadata of the health watch, as in `{ authorization: 'Bearer ...' }`, for a health service that requires it. It is
   * sent to every endpoint, and wins over call credentials. Snapshots, events and errors hide the values.
   *
   * @default none
   */
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * Panic threshold: if the percentage of healthy endpoints among the connected ones is below this, 0 (never) to 100,
   * calls go to all connected endpoints, as in Envoy. A wrong health signal must not take a whole service down.
   *
   * @default 50
   */
  readonly panicThreshold?: number;
  /**
   * Load that an endpoint can take, as a multiple of its share, 1 to 10. With 2 a priority or a zone keeps all its
   * calls while at least half of its endpoints are healthy, and sends calls to the next one below that.
   *
   * @default 2, so that one of two replicas may restart; 1.4 in Envoy
   */
  readonly overprovisioningFactor?: number;
}

/** Health options with every default filled in. */
export type EffectiveHealthOptions = Required<HealthCheckOptions>;

const service: Check = (path, value, faults) => {
  if (typeof value !== 'string')
    faults.push({ path, message: `is ${shown(value)}; use a service name, as in "orders.v1.Orders"` });
};

/** gRPC: "Header-Name" without the names that gRPC and HTTP/2 reserve. */
const KEY = /^(?!grpc-)[0-9a-z_.-]+$/;
const RESERVED: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'te',
  'user-agent',
  'host',
  ...CONNECTION_SPECIFIC_HEADERS,
]);
/** gRPC: "ASCII-Value". */
const VALUE = /^[\x20-\x7e]+$/;

/** Values are secret, so messages do not show them. */
const metadata: Check = (path, value, faults) => {
  if (!isObject(value)) {
    faults.push({
      path,
      message: `is not an object; use an object of keys and values, as in { authorization: 'Bearer ...' }`,
    });
    return;
  }
  for (const [key, text] of Object.entries(value)) {
    if (!KEY.test(key) || RESERVED.has(key) || key.endsWith('-bin')) {
      const message = `is not a valid metadata key; use lower-case letters, digits, "-", "_" and ".", without the prefix "grpc-", the suffix "-bin", and the names that HTTP/2 reserves`;
      faults.push({ path: `${path}.${shown(key)}`, message });
    } else if (typeof text !== 'string' || !VALUE.test(text)) {
      faults.push({
        path: `${path}.${key}`,
        message: 'is not a string of printable ASCII characters (the value is hidden)',
      });
    }
  }
};

export const healthCheck: Check = fields({
  enabled: boolean,
  service,
  metadata,
  panicThreshold: integer({ min: 0, max: 100 }),
  overprovisioningFactor: number({ min: 1, max: 10 }),
});

export function effectiveHealth(options: HealthCheckOptions = {}): EffectiveHealthOptions {
  return {
    enabled: options.enabled ?? true,
    service: options.service ?? '',
    metadata: options.metadata ?? {},
    panicThreshold: options.panicThreshold ?? 50,
    overprovisioningFactor: options.overprovisioningFactor ?? 2,
  };
}
