import type { ClientSnapshot, EndpointState } from '../core/snapshot.js';
import type { MinimumOf } from './min-ready.js';

export interface ClientHealth {
  readonly status: 'up' | 'degraded' | 'down';
  /** In a sentence, for whoever looks at three in the morning. */
  readonly message: string;
  readonly ready: number;
  readonly known: number;
  readonly required: number;
  /** Too few are well, so all that are connected are used. */
  readonly panic: boolean;
  readonly discovery: { readonly state: ClientSnapshot['source']['state']; readonly error: string | null };
  readonly endpoints: Readonly<Record<string, EndpointHealth>>;
}

interface EndpointHealth {
  readonly state: EndpointState;
  readonly reason: string | null;
  /** When it entered that state, as ISO 8601. */
  readonly since: string;
  readonly inFlight: number;
}

/** What a snapshot says about the health of a client's backends. Those that have left discovery do not count. */
export function healthOf(snapshot: ClientSnapshot, minimumOf: MinimumOf): ClientHealth {
  const { endpoints, source, panic, priorities } = snapshot;
  if (snapshot.loadBalancing === null) return healthOfChannel(snapshot);
  // Those of a priority that gets no calls help nobody: neither the dead of the first, nor who stands by for them.
  const open = new Set(priorities.filter(({ share }) => share > 0).map(({ priority }) => priority));
  const known = endpoints.filter(
    ({ state, priority }) => state !== 'draining' && (open.size === 0 || open.has(priority)),
  );
  const ready = known.filter(({ state }) => state === 'ready').length;
  const required = minimumOf(known.length);
  const discoveryIsWell = source.state === 'ok';
  const first = priorities[0];
  const failedOver = open.size > 0 && first !== undefined && first.share < 1;
  const isWell = ready === known.length && discoveryIsWell && !failedOver;
  const status = ready < required ? 'down' : isWell ? 'up' : 'degraded';
  return {
    status,
    message:
      `${ready} of ${known.length} endpoints are ready, ${required} are required` +
      (failedOver
        ? `; ${Math.round(first.share * 100)} % of calls go to the endpoints of priority ${first.priority}`
        : '') +
      (discoveryIsWell ? '' : `; discovery is ${source.state}${source.error === null ? '' : `: ${source.error}`}`),
    ready,
    known: known.length,
    required,
    panic,
    discovery: { state: source.state, error: source.error },
    endpoints: Object.fromEntries(
      endpoints.map(({ address, state, reason, since, inFlight }) => [
        address,
        { state, reason, since: new Date(since).toISOString(), inFlight },
      ]),
    ),
  };
}

/** A control plane alone knows the endpoints: the channel counts as one. */
function healthOfChannel({ state, source, panic }: ClientSnapshot): ClientHealth {
  const ready = state === 'ready';
  return {
    status: ready ? 'up' : 'down',
    message: `the channel is ${state}; the control plane alone knows its endpoints`,
    ready: Number(ready),
    known: 1,
    required: 1,
    panic,
    discovery: { state: source.state, error: source.error },
    endpoints: {},
  };
}
