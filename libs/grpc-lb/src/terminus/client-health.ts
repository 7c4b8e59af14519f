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
export function healthOf({ endpoints, source, panic }: ClientSnapshot, minimumOf: MinimumOf): ClientHealth {
  const known = endpoints.filter(({ state }) => state !== 'draining');
  const ready = known.filter(({ state }) => state === 'ready').length;
  const required = minimumOf(known.length);
  const discoveryIsWell = source.state === 'ok';
  const status = ready < required ? 'down' : ready < known.length || !discoveryIsWell ? 'degraded' : 'up';
  return {
    status,
    message:
      `${ready} of ${known.length} endpoints are ready, ${required} are required` +
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
