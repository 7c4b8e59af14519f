import { GrpcLbArgumentError } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { STATUSES } from '../../grpc/endpoint/health-messages.js';
import type { BackendHealth } from './backend-health.js';

const DAY_MS = 86_400_000;

/** A delay as a function. @throws GrpcLbArgumentError */
export function checkedDelay(delay: unknown): () => number {
  if (typeof delay === 'function') return delay as () => number;
  if (typeof delay === 'number' && delay >= 0 && delay <= DAY_MS) return () => delay;
  throw new GrpcLbArgumentError(
    `slow: delay is ${shown(delay)}; use milliseconds from 0 to ${DAY_MS}, or a function that returns them`,
  );
}

/** A count; Infinity if it is left out. @throws GrpcLbArgumentError */
export function atLeastOne(name: string, value: unknown): number {
  if (value === undefined) return Infinity;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1_000_000) return value;
  throw new GrpcLbArgumentError(`${name} is ${shown(value)}; use a whole number from 1 to 1000000`);
}

/** The health of a backend that has one. @throws GrpcLbArgumentError */
export function checkedHealth(health: BackendHealth | undefined, status: unknown, service: unknown): BackendHealth {
  if (!health)
    throw new GrpcLbArgumentError(
      'setHealth: the fleet serves no health, because createFleet got health: false, or a definition that has grpc.health.v1.Health',
    );
  if (!STATUSES.some((each) => each === status))
    throw new GrpcLbArgumentError(`setHealth: status is ${shown(status)}; use one of ${STATUSES.join(', ')}`);
  if (service !== undefined && typeof service !== 'string')
    throw new GrpcLbArgumentError(`setHealth: service is ${shown(service)}; use a text, as in "orders.v1.Orders"`);
  return health;
}
