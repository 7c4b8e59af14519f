import type { ClientSnapshot, EndpointSnapshot, EndpointState, SourceSnapshot, SourceState } from '../core/snapshot.js';
import type { MinimumOf } from './min-ready.js';

/** The health of the backends of one client: what `GrpcLbHealthIndicator` adds to the details of Terminus. */
export interface ClientHealth {
  /**
   * `up`: every endpoint in use is ready and discovery works. `degraded`: fewer endpoints are ready, but enough.
   * `down`: fewer than `required`.
   */
  readonly status: 'up' | 'degraded' | 'down';
  /** The same as a sentence. */
  readonly message: string;
  /** Endpoints in use that are ready. */
  readonly ready: number;
  /** Endpoints in use: those that discovery lists, of the priorities that get calls. */
  readonly total: number;
  /** Endpoints that must be ready for the client not to be `down`: `minReady` in endpoints. */
  readonly required: number;
  /** Too few endpoints are healthy, so calls go to all that are connected. */
  readonly panic: boolean;
  /** The state of discovery, and its error; null if there is none. */
  readonly discovery: { readonly state: SourceState; readonly error: string | null };
  /** All endpoints, by address. */
  readonly endpoints: Readonly<Record<string, EndpointHealth>>;
}

/** One endpoint in the details of Terminus. */
export interface EndpointHealth {
  /** The state of the endpoint, as in the snapshot. */
  readonly state: EndpointState;
  /** Why it is in that state; null if there is no reason to give. */
  readonly reason: string | null;
  /** When it entered that state, as ISO 8601. */
  readonly since: string;
  /** Calls in flight. */
  readonly inFlight: number;
}

/** The health of a client's backends. Endpoints that have left discovery do not count. */
export function healthOf(snapshot: ClientSnapshot, minimumOf: MinimumOf): ClientHealth {
  const { endpoints, source, panic, priorities } = snapshot;
  if (snapshot.loadBalancing === null) return healthOfChannel(snapshot);
  // Only priorities that get calls count: neither a failed first one nor a later one on standby.
  const open = new Set(priorities.filter(({ share }) => share > 0).map(({ priority }) => priority));
  const listed = endpoints.filter(({ state }) => state !== 'draining');
  const inUse = listed.filter(({ priority }) => open.size === 0 || open.has(priority));
  const ready = inUse.filter(({ state }) => state === 'ready').length;
  const required = minimumOf(inUse.length);
  const discoveryWorks = source.state === 'ok';
  // Priority 0 is missing if the first target lists no endpoints.
  const preferred = priorities.find(({ priority }) => priority === 0)?.share ?? 0;
  const failedOver = open.size > 0 && preferred < 1;
  const isUp = ready === inUse.length && discoveryWorks && !failedOver;
  const status = ready < required ? 'down' : isUp ? 'up' : 'degraded';
  return {
    status,
    message:
      `${ready} of ${inUse.length} endpoints${inUse.length < listed.length ? ' in use' : ''} are ready` +
      `${givenUp(listed, Math.min(...open))}, at least ${required} required` +
      (failedOver ? `; ${Math.round(preferred * 100)} % of calls go to the endpoints of priority 0` : '') +
      discoveryText(source),
    ready,
    total: inUse.length,
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

/** Endpoints of better priorities that get no calls, because too few of them are healthy. */
function givenUp(listed: readonly EndpointSnapshot[], firstInUse: number): string {
  const down = listed.filter(({ priority, state }) => priority < firstInUse && state !== 'ready');
  const of = new Set(down.map(({ priority }) => priority));
  if (!Number.isFinite(firstInUse) || down.length === 0) return '';
  return ` (${down.length} of ${of.size === 1 ? `priority ${[...of].join()}` : 'better priorities'} are not)`;
}

function discoveryText({ state, error, endpoints }: SourceSnapshot): string {
  if (state !== 'ok') return `; discovery is ${state}${error === null ? '' : `: ${error}`}`;
  return endpoints === 0 ? '; discovery lists no endpoints' : '';
}

/** Only the control plane knows the endpoints: the channel counts as one. */
function healthOfChannel({ state, source, panic }: ClientSnapshot): ClientHealth {
  const ready = state === 'ready';
  return {
    status: ready ? 'up' : 'down',
    message: `the channel is ${state}; only the control plane knows its endpoints`,
    ready: Number(ready),
    total: 1,
    required: 1,
    panic,
    discovery: { state: source.state, error: source.error },
    endpoints: {},
  };
}
