import type { ConnectionPoolOptions } from '../../core/options/pool-options.js';
import { type ClientDecorator, declareAspect } from './metadata.js';

/** The connections to each endpoint. For `loadBalancing: { pool: connectionPool({ size: 2 }) }`. */
export function connectionPool(options: ConnectionPoolOptions): ConnectionPoolOptions {
  return { ...options };
}

/** The connections to each endpoint. */
export const ConnectionPool = (options: ConnectionPoolOptions): ClientDecorator =>
  declareAspect('@ConnectionPool', { pool: connectionPool(options) });
