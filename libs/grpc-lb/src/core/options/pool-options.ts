import { type Check, fields, integer } from './validation.js';

/** The connections that a client keeps to each endpoint. */
export interface ConnectionPoolOptions {
  /**
   * Connections kept open to each endpoint, 1 to 100. Default 1. Behind a connection-level (L4) load balancer, where
   * one address stands for many backends, use a few per backend: calls are spread over the connections.
   */
  readonly size?: number;
  /**
   * Connections to each endpoint at most, `size` to 100 (gRFC A105 `max_connections_per_subchannel`). Those beyond
   * `size` are opened when all are at their stream limit, and closed after `idleTimeout` without a call. Default 4,
   * or `size` if that is more.
   */
  readonly maxSize?: number;
  /**
   * Calls that one connection carries at most at the same time, 1 to 1000000. Default: what the peer allows
   * (SETTINGS_MAX_CONCURRENT_STREAMS), or 100 where that cannot be read. A lower value of the peer always wins.
   */
  readonly maxConcurrentStreams?: number;
  /**
   * Calls that may wait while every connection is at its limit, 0 to 1000000; one more ends with RESOURCE_EXHAUSTED.
   * Default 1000.
   */
  readonly maxPending?: number;
  /**
   * Milliseconds after which a connection is replaced, ± 10 %, 1000 to 86400000: the new one is opened first, and the
   * old one closes when its calls have ended (as gRFC A9 does from the server's side). Behind an L4 load balancer
   * this is how new backends get their share. Default: never.
   */
  readonly maxConnectionAge?: number;
  /** Milliseconds without a call after which a connection beyond `size` is closed, 1000 to 86400000. Default 60000. */
  readonly idleTimeout?: number;
  /** Milliseconds that an attempt to connect may take, TLS and HTTP/2 handshake included, 10 to 600000. Default 5000. */
  readonly connectTimeout?: number;
  /**
   * Milliseconds without a byte from the peer, while a call waits for it, after which it is asked with an HTTP/2 PING:
   * 0 (never) to 600000. Default 1000. At most two PINGs are sent in five minutes without data from the peer, as
   * servers close connections on which more come.
   */
  readonly pingAfter?: number;
  /**
   * Milliseconds without an answer to that PING after which the peer is suspect, 50 to 600000, `pingTimeout` at most:
   * it gets no new calls until it answers, and keeps those in flight. Default 1000, or `pingTimeout` if that is less.
   */
  readonly suspectAfter?: number;
  /**
   * Milliseconds without an answer to that PING after which the connection is closed and its calls end with
   * UNAVAILABLE, 50 to 600000. Default 20000, as for keepalive in gRPC: a stall is not a death.
   */
  readonly pingTimeout?: number;
}

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
