import { GrpcLbOptionsError } from '../core/errors.js';
import { shown } from '../core/options/validation.js';

/** A number of endpoints, or a share of them. */
export type MinReady = number | `${number}%`;

/** How many of `known` endpoints must be well. */
export type MinimumOf = (known: number) => number;

/** @throws TypeError that says what may stand there. */
export function readMinReady(minReady: MinReady): MinimumOf {
  if (typeof minReady === 'number' && Number.isInteger(minReady) && minReady >= 1) return () => minReady;
  const percent = typeof minReady === 'string' ? Number(/^(\d+(?:\.\d+)?)%$/.exec(minReady)?.[1]) : NaN;
  if (percent >= 1 && percent <= 100) return (known) => Math.max(1, Math.ceil((known * percent) / 100));
  throw new GrpcLbOptionsError('GrpcLbHealthIndicator', [
    {
      path: 'minReady',
      message: `is ${shown(minReady)}; use a whole number of at least 1, or a percentage from '1%' to '100%'`,
    },
  ]);
}
