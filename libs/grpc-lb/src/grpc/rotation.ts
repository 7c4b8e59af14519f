import { isPanic } from '../core/health/panic.js';
import type { PooledEndpoint } from './pooled-endpoint.js';

/** Which endpoints may be picked, worked out anew whenever one of them changes. The lists never change afterwards. */
export interface Rotation {
  /** All that may be picked. */
  readonly pickable: readonly PooledEndpoint[];
  /** Of those, the ones that have their full share. Never empty if `pickable` is not. */
  readonly warm: readonly PooledEndpoint[];
  /** Of those, the ones that start slowly, beside others that have their full share. */
  readonly cold: readonly PooledEndpoint[];
  /** Ejected, and waiting for the call that decides. */
  readonly probing: readonly PooledEndpoint[];
  readonly panic: boolean;
  readonly well: number;
  readonly connected: number;
}

export function rotationOf(endpoints: readonly PooledEndpoint[], panicThreshold: number): Rotation {
  const connected = endpoints.filter((endpoint) => endpoint.connected);
  const well = connected.filter((endpoint) => endpoint.well);
  const panic = isPanic(well.length, connected.length, panicThreshold);
  const pickable = panic ? connected : well;
  const warm = pickable.filter((endpoint) => endpoint.warmth === 1);
  return {
    pickable,
    // When all start slowly, as after a restart of all, they are equal again.
    warm: warm.length > 0 ? warm : pickable,
    cold: warm.length > 0 && warm.length < pickable.length ? pickable.filter((endpoint) => endpoint.warmth < 1) : [],
    probing: connected.filter((endpoint) => endpoint.outlier.state.kind === 'probing'),
    panic,
    well: well.length,
    connected: connected.length,
  };
}
