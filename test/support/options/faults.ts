import type { Fault } from '../../../libs/grpc-lb/src/core/errors.js';
import type { Check } from '../../../libs/grpc-lb/src/core/options/validation.js';

/** The faults that a check finds in a value at the path `at`. */
export function faultsOf(check: Check, value: unknown): string[] {
  const faults: Fault[] = [];
  check('at', value, faults);
  return faults.map(({ path, message }) => `${path} ${message}`);
}
