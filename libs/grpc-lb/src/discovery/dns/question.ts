import type { EndpointAnswer } from '../../core/endpoint-source.js';
import type { Endpoint } from '../../core/endpoint.js';

/** The result of a question. */
export interface DnsAnswer extends EndpointAnswer {
  readonly endpoints: readonly Endpoint[];
  /**
   * Time to live of the answer in seconds: the minimum of all records. Absent if unknown; 0 is treated as absent,
   * because it forbids caching an answer (RFC 1035 3.2.1), and does not tell when another one may be available.
   */
  readonly ttl?: number;
  /** Warnings for an operator, despite an answer. */
  readonly warnings?: readonly string[];
}

/** One way to find the endpoints of a name. */
export interface DnsQuestion {
  /** The server and the name, as in `"orders.shop" at 10.0.0.2:53`. */
  readonly subject: string;
  /** Rejects if there is no usable answer. When the signal aborts, the result is ignored. */
  ask(signal: AbortSignal): Promise<DnsAnswer>;
}
