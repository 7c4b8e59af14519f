import { type Fault, GrpcLbOptionsError } from '../core/options/validation.js';
import { createEndpointSource, parseTarget } from '../discovery/index.js';
import { systemClock } from './system-clock.js';

/** What is wrong with a target: its scheme, its form, or what the source of that scheme says about it. */
export function checkTarget(target: string): readonly Fault[] {
  try {
    // Made and thrown away: a source does nothing before it is started.
    createEndpointSource(parseTarget(target), { clock: systemClock, random: Math.random });
    return [];
  } catch (error) {
    return error instanceof GrpcLbOptionsError ? error.faults : [{ path: 'target', message: (error as Error).message }];
  }
}
