import { type Check, fields, integer } from './validation.js';

/** The connections that a client keeps to each endpoint. */
export interface ConnectionPoolOptions {
  /**
   * Connections kept open to each endpoint, 1 to 100. Behind a connection-level (L4) load balancer, where one address
   * stands for many backends, use a few for each backend: calls are spread over the connections.
   *
   * @default 1
   */
  readonly size?: number;
  /**
   * Maximum number of connections to each endpoint, `size` to 100 (gRFC A105 `max_connections_per_subchannel`).
   * Connections beyond `size` open when all are at their stream limit, and close after `idleTimeout` without a call.
   *
   * @default 4, or `size` if that is more
   */
  readonly maxSize?: number;
  /**
   * Maximum number of concurrent calls on one connection, 1 to 1000000. A lower limit of the peer always wins.
   *
   * @default limit of the peer (SETTINGS_MAX_CONCURRENT_STREAMS), or 100 if that is unknown
   */
  readonly maxConcurrentStreams?: number;
  /**
   * Maximum number of calls of the client that wait while no connection can take them, 0 to 1000000: every connection is
   * at its limit, none is ready, or their call credentials have not come. Further calls end with RESOURCE_EXHAUSTED.
   *
   * @default 1000
   */
  readonly maxPending?: number;
  /**
   * Milliseconds after which a connection is replaced, ± 10 %, 1000 to 86400000. The new connection opens first, and
   * the old one closes when its calls have ended (as gRFC A9 does on the server). Behind an L4 load balancer new
   * backends get their share this way.
   *
   * @default never
   */
  readonly maxConnectionAge?: number;
  /**
   * Milliseconds without a call after which a connection beyond `size` is closed, 1000 to 86400000.
   *
   * @default 60000
   */
  readonly idleTimeout?: number;
  /**
   * Timeout of an attempt to connect in milliseconds, including the TLS and HTTP/2 handshakes, 10 to 600000.
   *
   * @default 5000
   */
  readonly connectTimeout?: number;
  /**
   * Milliseconds without data from the peer, while a call waits for it, after which the client sends an HTTP/2 PING: 0
   * (never) to 600000. It sends at most two PINGs in five minutes without data, because servers close connections with
   * more.
   *
   * @default 1000
   */
  readonly pingAfter?: number;
  /**
   * Milliseconds without an answer to that PING after which the endpoint is suspect, 50 to 600000, at most
   * `pingTimeout`. It gets no new calls until it answers; calls in flight continue.
   *
   * @default 1000, or `pingTimeout` if that is less
   */
  readonly suspectAfter?: number;
  /**
   * Milliseconds without an answer to that PING after which the connection closes and its calls end with UNAVAILABLE,
   * 50 to 600000. A stall is not a death.
   *
   * @default 20000, as for keepalive in gRPC
   */
  readonly pingTimeout?: number;
}

/** Pool options with every default filled in. */
export type EffectivePoolOptions = Required<Omit<ConnectionPoolOptions, 'maxConcurrentStreams' | 'maxConnectionAge'>> &
  Pick<ConnectionPoolOptions, 'maxConcurrentStreams' | 'maxConnectionAge'>;

const DAY_MS = 86_400_000;
const SUSPECT_AFTER_MS = 1000;
const PING_TIMEOUT_MS = 20_000;

const sizes = fields({
  size: integer({ min: 1, max: 100 }),
  maxSize: integer({ min: 1, max: 100 }),
  maxConcurrentStreams: integer({ min: 1, max: 1_000_000 }),
  maxPending: integer({ min: 0, max: 1_000_000 }),
  maxConnectionAge: integer({ min: 1000, max: DAY_MS, unit: 'milliseconds' }),
  idleTimeout: integer({ min: 1000, max: DAY_MS, unit: 'milliseconds' }),
  connectTimeout: integer({ min: 10, max: 600_000, unit: 'milliseconds' }),
  pingAfter: integer({ min: 0, max: 600_000, unit: 'milliseconds' }),
  suspectAfter: integer({ min: 50, max: 600_000, unit: 'milliseconds' }),
  pingTimeout: integer({ min: 50, max: 600_000, unit: 'milliseconds' }),
});

export const poolCheck: Check = (path, value, faults) => {
  sizes(path, value, faults);
  const { size, maxSize, suspectAfter, pingTimeout = PING_TIMEOUT_MS } = (value ?? {}) as ConnectionPoolOptions;
  if (typeof size === 'number' && typeof maxSize === 'number' && maxSize < size) {
    faults.push({
      path: `${path}.maxSize`,
      message: `is ${maxSize}, less than size ${size}; use ${size} or more, or remove this option`,
    });
  }
  if (typeof suspectAfter === 'number' && typeof pingTimeout === 'number' && suspectAfter > pingTimeout) {
    faults.push({
      path: `${path}.suspectAfter`,
      message: `is ${suspectAfter}, more than pingTimeout ${pingTimeout}; use ${pingTimeout} or less, or remove this option`,
    });
  }
};

export function effectivePool(options: ConnectionPoolOptions = {}): EffectivePoolOptions {
  const size = options.size ?? 1;
  const pingTimeout = options.pingTimeout ?? PING_TIMEOUT_MS;
  return {
    size,
    maxSize: options.maxSize ?? Math.max(4, size),
    maxConcurrentStreams: options.maxConcurrentStreams,
    maxPending: options.maxPending ?? 1000,
    maxConnectionAge: options.maxConnectionAge,
    idleTimeout: options.idleTimeout ?? 60_000,
    connectTimeout: options.connectTimeout ?? 5_000,
    pingAfter: options.pingAfter ?? 1000,
    suspectAfter: options.suspectAfter ?? Math.min(SUSPECT_AFTER_MS, pingTimeout),
    pingTimeout,
  };
}
