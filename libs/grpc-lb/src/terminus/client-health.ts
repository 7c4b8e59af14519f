import type { ClientSnapshot, EndpointSnapshot, EndpointState, SourceSnapshot } from '../core/snapshot.js';
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
  const named = endpoints.filter(({ state }) => state !== 'draining');
  const known = named.filter(({ priority }) => open.size === 0 || open.has(priority));
  const ready = known.filter(({ state }) => state === 'ready').length;
  const required = minimumOf(known.length);
  const discoveryIsWell = source.state === 'ok';
  // Priority 0 may be missing: the first target names nobody.
  const preferred = priorities.find(({ priority }) => priority === 0)?.share ?? 0;
  const failedOver = open.size > 0 && preferred < 1;
  const isWell = ready === known.length && discoveryIsWell && !failedOver;
  const status = ready < required ? 'down' : isWell ? 'up' : 'degraded';
  return {
    status,
    message:
      `${ready} of ${known.length} endpoints${known.length < named.length ? ' in use' : ''} are ready` +
      `${givenUp(named, Math.min(...open))}, at least ${required} required` +
      (failedOver ? `; ${Math.round(preferred * 100)} % of calls go to the endpoints of priority 0` : '') +
      discoveryText(source),
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

/** Those of better priorities that get no calls, because too few of them are well. */
function givenUp(named: readonly EndpointSnapshot[], firstInUse: number): string {
  const ill = named.filter(({ priority, state }) => priority < firstInUse && state !== 'ready');
  const of = new Set(ill.map(({ priority }) => priority));
  if (!Number.isFinite(firstInUse) || ill.length === 0) return '';
  return ` (${ill.length} of ${of.size === 1 ? `priority ${[...of].join()}` : 'better priorities'} are not)`;
}

function discoveryText({ state, error, endpoints }: SourceSnapshot): string {
  if (state !== 'ok') return `; discovery is ${state}${error === null ? '' : `: ${error}`}`;
  return endpoints === 0 ? '; discovery lists no endpoints' : '';
}

/** A control plane alone knows the endpoints: the channel counts as one. */
function healthOfChannel({ state, source, panic }: ClientSnapshot): ClientHealth {
  const ready = state === 'ready';
  return {
    status: ready ? 'up' : 'down',
    message: `the channel is ${state}; only the control plane knows its endpoints`,
    ready: Number(ready),
    known: 1,
    required: 1,
    panic,
    discovery: { state: source.state, error: source.error },
    endpoints: {},
  };
}
