import type { ConnectionPoolOptions } from '../../core/options/pool-options.js';
import { declareAspect } from './metadata.js';

/** The connections to each endpoint. For `loadBalancing: { pool: connectionPool({ size: 2 }) }`. */
export function connectionPool(options: ConnectionPoolOptions): ConnectionPoolOptions {
  return { ...options };
}

/** The connections to each endpoint. */
export const ConnectionPool = (options: ConnectionPoolOptions): ClassDecorator =>
  declareAspect('@ConnectionPool', { pool: connectionPool(options) });
