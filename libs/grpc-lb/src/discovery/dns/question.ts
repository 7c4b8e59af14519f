import type { EndpointAnswer } from '../../core/endpoint-source.js';
import type { Endpoint } from '../../core/endpoint.js';

/** What has come of a question. */
export interface DnsAnswer extends EndpointAnswer {
  readonly endpoints: readonly Endpoint[];
  /**
   * Seconds for which the answer holds, the least of all records. Absent where nobody tells, and 0 is as good as absent:
   * it forbids to keep an answer (RFC 1035 3.2.1), and says nothing of when another one may be there.
   */
  readonly ttl?: number;
  /** What somebody should look at, though there is an answer. */
  readonly warnings?: readonly string[];
}

/** One way to find the endpoints of a name. */
export interface DnsQuestion {
  /** Whom is asked for what, as in `"orders.shop" at 10.0.0.2:53`. */
  readonly subject: string;
  /** Fails if there is no usable answer. When the signal fires nobody waits for it any more. */
  ask(signal: AbortSignal): Promise<DnsAnswer>;
}
