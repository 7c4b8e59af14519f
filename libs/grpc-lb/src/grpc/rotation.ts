import type { PooledEndpoint } from './pooled-endpoint.js';

/** How a group of endpoints is: one walk over what may be thousands. */
export interface Census {
  readonly known: number;
  readonly connected: readonly PooledEndpoint[];
  readonly well: readonly PooledEndpoint[];
  /** Ejected, and waiting for the call that decides. */
  readonly probing: readonly PooledEndpoint[];
}

export function censusOf(endpoints: readonly PooledEndpoint[]): Census {
  const connected: PooledEndpoint[] = [];
  const well: PooledEndpoint[] = [];
  const probing: PooledEndpoint[] = [];
  for (const endpoint of endpoints) {
    if (!endpoint.connected) continue;
    connected.push(endpoint);
    if (endpoint.well) well.push(endpoint);
    if (endpoint.outlier.state.kind === 'probing') probing.push(endpoint);
  }
  return { known: endpoints.length, connected, well, probing };
}

/** Which endpoints of a group may be picked. The lists never change afterwards. */
export interface Rotation {
  /** All that may be picked. */
  readonly pickable: readonly PooledEndpoint[];
  /** Of those, the ones that have their full share. Never empty if `pickable` is not. */
  readonly warm: readonly PooledEndpoint[];
  /** Of those, the ones that start slowly, beside others that have their full share. */
  readonly cold: readonly PooledEndpoint[];
}

export function rotationOf({ connected, well }: Census, panic: boolean): Rotation {
  const pickable = panic ? connected : well;
  const cold = pickable.filter((endpoint) => endpoint.warmth < 1);
  // When all start slowly, as after a restart of all, they are equal again.
  if (cold.length === 0 || cold.length === pickable.length) return { pickable, warm: pickable, cold: [] };
  return { pickable, warm: pickable.filter((endpoint) => endpoint.warmth === 1), cold };
}
