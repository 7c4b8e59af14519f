import type { Target } from '../core/endpoint-source.js';
import type { Fault } from '../core/errors.js';

/** A scheme whose targets are resolved and balanced by another library within grpc-js, as `xds` is. */
export interface ForeignScheme {
  /** What is wrong with a target, as far as that can be said before it is used. */
  check(target: Target): readonly Fault[];
}

const schemes = new Map<string, ForeignScheme>();

/** Called by the sub-path that brings the library. Doing it again is fine. */
export function registerForeignScheme(scheme: string, foreign: ForeignScheme): void {
  schemes.set(scheme, foreign);
}

export function foreignSchemeOf(target: Target): ForeignScheme | undefined {
  return schemes.get(target.scheme);
}
