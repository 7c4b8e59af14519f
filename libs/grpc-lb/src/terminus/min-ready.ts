import { GrpcLbOptionsError } from '../core/errors.js';
import { shown } from '../core/options/validation.js';

/** A number of endpoints, or a percentage of them, as in `'50%'`. */
export type MinReady = number | `${number}%`;

/** How many of `total` endpoints must be ready. */
export type MinimumOf = (total: number) => number;

/** @throws GrpcLbOptionsError if it is neither. */
export function readMinReady(minReady: MinReady): MinimumOf {
  if (typeof minReady === 'number' && Number.isInteger(minReady) && minReady >= 1) return () => minReady;
  const percent = typeof minReady === 'string' ? Number(/^(\d+(?:\.\d+)?)%$/.exec(minReady)?.[1]) : NaN;
  if (percent >= 1 && percent <= 100) return (total) => Math.max(1, Math.ceil((total * percent) / 100));
  throw new GrpcLbOptionsError('GrpcLbHealthIndicator', [
    {
      path: 'minReady',
      message: `is ${shown(minReady)}; use a whole number of at least 1, or a percentage from '1%' to '100%'`,
    },
  ]);
}
