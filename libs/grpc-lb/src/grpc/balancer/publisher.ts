import type { Balancing } from '../../core/balancing/balancing.js';
import type { Connection } from '../endpoint/connection.js';

/** Publishes a balancer's decisions to the calls of a client. */
export interface Publisher {
  /** Calls that wait for an endpoint. */
  readonly pending: number;
  publish(balancing: Balancing<Connection>): void;
  /** Calls fail from now on. */
  fail(reason: string): void;
  /** Called when a call has ended, because a connection may have room again. */
  released(): void;
  close(): void;
}
