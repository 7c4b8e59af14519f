import type { Target } from '../core/endpoint-source.js';
import type { Fault } from '../core/errors.js';

/** A scheme whose targets are resolved and balanced by another library within grpc-js, as `xds` is. */
export interface DelegatedScheme {
  /** The faults of a target that can be detected before it is used. */
  check(target: Target): readonly Fault[];
}

const schemes = new Map<string, DelegatedScheme>();

/** Called by the sub-path of the library; calling it again has no effect. */
export function registerDelegatedScheme(scheme: string, delegated: DelegatedScheme): void {
  schemes.set(scheme, delegated);
}

export function delegatedSchemeOf(target: Target): DelegatedScheme | undefined {
  return schemes.get(target.scheme);
}
