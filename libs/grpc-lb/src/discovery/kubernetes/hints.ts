/** Where this process runs. */
export interface Place {
  readonly zone: string | undefined;
  readonly node: string | undefined;
}

/** For which zones and nodes the cluster has meant an endpoint; empty if it does not say. */
export interface Hints {
  readonly forZones: readonly string[];
  readonly forNodes: readonly string[];
}

/**
 * The endpoints that the cluster has meant for this place; undefined if it has not decided, and all are alike. The rules
 * are those of kube-proxy: hints count if every endpoint has them and one is for this place, and a node comes before a
 * zone. An endpoint without hints shows that the controller is not done.
 */
export function meantFor<E extends Hints>(endpoints: readonly E[], { zone, node }: Place): readonly E[] | undefined {
  return meant(endpoints, node, ({ forNodes }) => forNodes) ?? meant(endpoints, zone, ({ forZones }) => forZones);
}

function meant<E>(
  endpoints: readonly E[],
  place: string | undefined,
  hintsOf: (endpoint: E) => readonly string[],
): readonly E[] | undefined {
  if (place === undefined || endpoints.some((endpoint) => hintsOf(endpoint).length === 0)) return undefined;
  const here = endpoints.filter((endpoint) => hintsOf(endpoint).includes(place));
  return here.length > 0 ? here : undefined;
}
