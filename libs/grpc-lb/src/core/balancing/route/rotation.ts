/** An endpoint, as far as a rotation looks at it. */
export interface Rotatable {
  /** Calls can reach it, for better or worse. */
  readonly connected: boolean;
  /** It is connected, but silent. Absent where nothing can be silent, as in the simulator. */
  readonly suspect?: boolean;
  /** It is connected, says that it serves, and is neither silent nor ejected. */
  readonly healthy: boolean;
  /** The part of its full share that it gets while it starts slowly, else 1. */
  readonly warmth: number;
  /** Ejected, and to be tried with one call. */
  readonly probing: boolean;
}

/** How a group of endpoints is: one walk over what may be thousands. */
export interface Census<E> {
  readonly total: number;
  readonly connected: readonly E[];
  /** Of those, the ones that are not silent. */
  readonly answering: readonly E[];
  readonly healthy: readonly E[];
  /** Ejected, and waiting for the call that decides. */
  readonly probing: readonly E[];
}

export function censusOf<E extends Rotatable>(endpoints: readonly E[]): Census<E> {
  const connected: E[] = [];
  const answering: E[] = [];
  const healthy: E[] = [];
  const probing: E[] = [];
  for (const endpoint of endpoints) {
    if (!endpoint.connected) continue;
    connected.push(endpoint);
    if (!endpoint.suspect) answering.push(endpoint);
    if (endpoint.healthy) healthy.push(endpoint);
    if (endpoint.probing) probing.push(endpoint);
  }
  return { total: endpoints.length, connected, answering, healthy, probing };
}

/** Which endpoints of a group may be picked. The lists never change afterwards. */
export interface Rotation<E> {
  /** All that may be picked. */
  readonly pickable: readonly E[];
  /** Of those, the ones that have their full share. Never empty if `pickable` is not. */
  readonly warm: readonly E[];
  /** Of those, the ones that start slowly, beside others that have their full share. */
  readonly cold: readonly E[];
}

export function rotationOf<E extends Rotatable>({ connected, healthy }: Census<E>, panic: boolean): Rotation<E> {
  const pickable = panic ? connected : healthy;
  const cold = pickable.filter((endpoint) => endpoint.warmth < 1);
  // When all start slowly, as after a restart of all, they are equal again.
  if (cold.length === 0 || cold.length === pickable.length) return { pickable, warm: pickable, cold: [] };
  return { pickable, warm: pickable.filter((endpoint) => endpoint.warmth === 1), cold };
}
