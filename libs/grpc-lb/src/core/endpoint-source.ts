import type { Clock } from './clock.js';
import type { Endpoint } from './endpoint.js';
import type { Random } from './random.js';

/**
 * A target URI in its parts: `dns://10.0.0.2/orders:50051` has the authority `10.0.0.2` and the path `orders:50051`.
 */
export interface Target {
  /** The whole target, as the user wrote it. It may hold secrets: do not log it. */
  readonly uri: string;
  /** In lower case, as in `dns`. */
  readonly scheme: string;
  /** Empty when the URI has none, as in `dns:///orders:50051`. */
  readonly authority: string;
  /** Everything after the slash that ends the authority. */
  readonly path: string;
}

/** What a source reports beside the list. */
export interface EndpointAnswer {
  /**
   * Whether an empty list is the truth, as from the API server of Kubernetes: the last endpoints are then removed after
   * a grace time. Otherwise an empty list counts as a failure, and the last good list stays in use.
   *
   * @default false
   */
  readonly authoritative?: boolean;
  /**
   * Whether the only endpoint is the virtual address of a Kubernetes Service, which the node balances by connection, so
   * that calls cannot be balanced.
   *
   * @default false
   */
  readonly clusterIp?: boolean;
  /** A gRPC service config that came with the list (gRFC A2): its methods' timeouts and retries are used. */
  readonly serviceConfig?: object;
}

/** Receives what a source finds. */
export interface EndpointListener {
  /** The whole list of endpoints; the client computes the difference. */
  onEndpoints(endpoints: readonly Endpoint[], answer?: EndpointAnswer): void;
  /** Discovery failed. The source must retry by itself; the last good list stays in use. */
  onError(error: Error): void;
  /** Discovery works, but something needs the attention of an operator. Reported once for each text. */
  onWarning(warning: string): void;
}

/**
 * Where the endpoints of a client come from. A source is started once. After `stop` it calls no listener and holds no
 * timer, socket or watch.
 */
export interface EndpointSource {
  /** Starts discovery. The source must not call the listener before `start` has returned. */
  start(listener: EndpointListener): void;
  /** A hint that the list may be stale, as when a connection is lost. The source must bound how often it asks. */
  refresh(): void;
  /** Ends discovery for good. */
  stop(): void;
}

/** Time and chance for a source, so that tests can control them. */
export interface EndpointSourceContext {
  /** The time source; real time in production. */
  readonly clock: Clock;
  /** The random source; `Math.random` in production. */
  readonly random: Random;
}

/**
 * Creates the source of a target. It throws an `Error` that names the invalid part of the target and the remedy.
 *
 * @example
 *   registerEndpointSource('registry', (target, context) => new RegistrySource(target.path, context.clock));
 */
export type EndpointSourceFactory = (target: Target, context: EndpointSourceContext) => EndpointSource;
