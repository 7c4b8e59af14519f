import type { Clock } from './clock.js';
import type { Endpoint } from './endpoint.js';
import type { Random } from './random.js';

/** A target URI in its parts: `dns://10.0.0.2/orders:50051` has the authority `10.0.0.2` and the path `orders:50051`. */
export interface Target {
  readonly uri: string;
  readonly scheme: string;
  /** Empty when the URI has none, as in `dns:///orders:50051`. */
  readonly authority: string;
  /** Without the slash that ends the authority. */
  readonly path: string;
}

/** What a source knows beside the list. */
export interface EndpointAnswer {
  /**
   * The list is the whole truth also when it is empty, as from the API server of Kubernetes: after a grace time the
   * last endpoints are let go. Default false: an empty list is taken for a failure, and the last good one stays.
   */
  readonly authoritative?: boolean;
  /** A gRPC service config that came with the list (gRFC A2): its methods' timeouts and retries are used. */
  readonly serviceConfig?: object;
}

/** What a source tells its client. Each call of `onEndpoints` is the whole list; the pool takes the difference. */
export interface EndpointListener {
  onEndpoints(endpoints: readonly Endpoint[], answer?: EndpointAnswer): void;
  /** Discovery failed; the source goes on trying by itself, and the last good list stays in use. */
  onError(error: Error): void;
  /** Discovery works, but somebody should look at something: told to the operator, once for each text. */
  onWarning(warning: string): void;
}

/**
 * Where the endpoints of a client come from. A source is started once, and after `stop` it calls nobody, and
 * holds no timer, socket or watch.
 */
export interface EndpointSource {
  /** Begins to look. The listener is never called before `start` has returned. */
  start(listener: EndpointListener): void;
  /** A hint that the list may be stale, as when a connection is lost. The source bounds how often it asks. */
  refresh(): void;
  stop(): void;
}

/** What a source may use of the outside world. */
export interface EndpointSourceContext {
  readonly clock: Clock;
  readonly random: Random;
}

/** Makes the source for a target; throws an `Error` that names the faulty part and the remedy if it cannot. */
export type EndpointSourceFactory = (target: Target, context: EndpointSourceContext) => EndpointSource;
