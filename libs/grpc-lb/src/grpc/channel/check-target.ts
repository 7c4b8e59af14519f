import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { createEndpointSource, parseTarget } from '../../discovery/index.js';
import { delegatedFaults, isDelegated } from './delegated-channel.js';
import { systemClock } from '../context/system-clock.js';

const notAlone: Fault = {
  path: 'scheme',
  message: 'is balanced by another library, so it cannot be one of several targets; use it alone, as target',
};

/** Equal texts for equivalent targets: `orders:50051` is `dns:///orders:50051`. */
export function sameTarget(text: string): string {
  const { scheme, authority, path } = parseTarget(text);
  return `${scheme}://${authority}/${path}`;
}

/** The scheme of a target, lower case, and what follows the third slash. */
export function partsOfTarget(text: string): { readonly scheme: string; readonly path: string } {
  return parseTarget(text);
}

/** Checks the scheme and the form of a target, and lets the source of that scheme check the rest. */
export function checkTarget(target: string, standsAlone = true): readonly Fault[] {
  try {
    if (isDelegated(target)) return standsAlone ? delegatedFaults(target) : [notAlone];
    // Created only to check the target: a source has no effect before it is started.
    createEndpointSource(parseTarget(target), { clock: systemClock, random: Math.random });
    return [];
  } catch (error) {
    return error instanceof GrpcLbOptionsError ? error.faults : [{ path: 'target', message: (error as Error).message }];
  }
}
