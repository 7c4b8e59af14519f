import type { Endpoint } from '../../core/endpoint.js';

/** What discovery tells of a backend, where it listens, and how many streams a connection to it takes. */
export interface BackendOptions extends Omit<Endpoint, 'address'> {
  /**
   * The IP address to listen on, such as `127.0.0.2` (on Linux) or `::1`.
   *
   * @default '127.0.0.1'
   */
  readonly host?: string;
  /**
   * The port to listen on, 1 to 65535, for backends that share one, as the pods of a Deployment do.
   *
   * @default one that is free
   */
  readonly port?: number;
  /**
   * Streams that one connection takes at a time, 1 to 1000000.
   *
   * @default no limit
   */
  readonly maxConcurrentStreams?: number;
}

/** Which of the calls a backend fails. */
export interface FailOptions {
  /**
   * The text of the status.
   *
   * @default the name of the status
   */
  readonly details?: string;
  /**
   * How many calls fail; those after them are answered.
   *
   * @default all, until `recover`
   */
  readonly times?: number;
  /**
   * Trailers, such as `{ 'grpc-retry-pushback-ms': '100' }`.
   *
   * @default none
   */
  readonly trailers?: Readonly<Record<string, string>>;
}
