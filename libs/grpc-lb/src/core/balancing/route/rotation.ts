/** An endpoint as a rotation sees it. */
export interface Rotatable {
  /** Whether calls can reach it, healthy or not. */
  readonly connected: boolean;
  /** Whether it is connected, but silent. Absent in the simulator, where endpoints are never silent. */
  readonly suspect?: boolean;
  /** Whether it is connected, reports that it serves, and is neither silent nor ejected. */
  readonly healthy: boolean;
  /** Whether it answers, but others should be preferred. Absent in the simulator. */
  readonly degraded?: boolean;
  /** Progress of its slow start as a fraction of its full share; 1 otherwise. */
  readonly warmth: number;
  /** Whether its ejection time is over, and it waits for its probe. */
  readonly probing: boolean;
}

/** The state of a group of endpoints, from one pass, since there may be thousands. */
export interface Census<E> {
  readonly total: number;
  readonly connected: readonly E[];
  /** The connected endpoints that are not silent. */
  readonly answering: readonly E[];
  readonly healthy: readonly E[];
  /** Used only while the healthy endpoints of all priorities cannot carry all calls. */
  readonly degraded: readonly E[];
  /** Endpoints whose ejection time is over, and that wait for their probe. */
  readonly probing: readonly E[];
}

export function censusOf<E extends Rotatable>(endpoints: readonly E[]): Census<E> {
  const connected: E[] = [];
  const answering: E[] = [];
  const healthy: E[] = [];
  const degraded: E[] = [];
  const probing: E[] = [];
  for (const endpoint of endpoints) {
    if (!endpoint.connected) continue;
    connected.push(endpoint);
    if (!endpoint.suspect) answering.push(endpoint);
    if (endpoint.healthy) healthy.push(endpoint);
    if (endpoint.degraded) degraded.push(endpoint);
    if (endpoint.probing) probing.push(endpoint);
  }
  return { total: endpoints.length, connected, answering, healthy, degraded, probing };
}

/** Which endpoints of a group may be picked. The lists are immutable. */
export interface Rotation<E> {
  /** All endpoints that may be picked. */
  readonly pickable: readonly E[];
  /** The pickable endpoints with their full share. Never empty if `pickable` is not. */
  readonly warm: readonly E[];
  /** The pickable endpoints in slow start; empty if no other endpoint has its full share. */
  readonly cold: readonly E[];
}

export function rotationOf<E extends Rotatable>({ connected, healthy }: Census<E>, panic: boolean): Rotation<E> {
  const pickable = panic ? connected : healthy;
  const warm: E[] = [];
  const cold: E[] = [];
  // The warmth grows with time, so it is read once.
  for (const endpoint of pickable) (endpoint.warmth < 1 ? cold : warm).push(endpoint);
  // If all endpoints start slowly, as after a restart of all, they are equal again.
  if (warm.length === 0 || cold.length === 0) return { pickable, warm: pickable, cold: [] };
  return { pickable, warm, cold };
}
