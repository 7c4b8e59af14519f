import type {
  CertificateSnapshot,
  CertificateState,
  ClientSnapshot,
  EndpointSnapshot,
  EndpointState,
  SourceSnapshot,
  SourceState,
} from '../core/snapshot.js';
import type { MinimumOf } from './min-ready.js';

/** The health of the backends of one client: what `GrpcLbHealthIndicator` adds to the details of Terminus. */
export interface ClientHealth {
  /**
   * `up`: every endpoint in use is ready, discovery works, and certificates are good. `degraded`: fewer endpoints are
   * ready, but enough; or the certificate of the client expires soon, or new ones cannot be used. `down`: fewer than
   * `required`.
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
  /** Discovery, of all targets of the client. */
  readonly discovery: {
    /** Its state, as in the snapshot. */
    readonly state: SourceState;
    /** Why it failed last; null if it works. */
    readonly error: string | null;
  };
  /** The certificates of the option `tls`; absent without it. */
  readonly certificates?: CertificateHealth;
  /** All endpoints, by address. */
  readonly endpoints: Readonly<Record<string, EndpointHealth>>;
}

/** Certificates in the details of Terminus. */
export interface CertificateHealth {
  /** The state of the certificates, as in the snapshot. */
  readonly state: CertificateState;
  /** Why what was read last cannot be used; null if it is in force. */
  readonly error: string | null;
  /** When the own certificate expires, as ISO 8601; null if it has none. */
  readonly expires: string | null;
  /** Whole seconds until then, negative afterwards; null if it has none. */
  readonly expiresInSeconds: number | null;
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
  const { endpoints, source, panic, priorities, tls } = snapshot;
  if (snapshot.loadBalancing === null) return healthOfChannel(snapshot);
  // Only priorities that get calls count: neither a failed first one nor a later one on standby.
  const open = new Set(priorities.filter(({ share }) => share > 0).map(({ priority }) => priority));
  const listed = endpoints.filter(({ state }) => state !== 'draining');
  const inUse = listed.filter(({ priority }) => open.size === 0 || open.has(priority));
  const ready = inUse.filter(({ state }) => state === 'ready').length;
  const degraded = inUse.filter(({ state }) => state === 'degraded').length;
  const required = minimumOf(inUse.length);
  const discoveryWorks = source.state === 'ok';
  // Priority 0 is missing if the first target lists no endpoints.
  const preferred = priorities.find(({ priority }) => priority === 0)?.share ?? 0;
  const failedOver = open.size > 0 && preferred < 1;
  const certificateTrouble = troubleOf(tls);
  const isUp = ready === inUse.length && discoveryWorks && !failedOver && certificateTrouble === '';
  const status = ready + degraded < required ? 'down' : isUp ? 'up' : 'degraded';
  return {
    status,
    message:
      `${ready} of ${inUse.length} endpoints${inUse.length < listed.length ? ' in use' : ''} are ready` +
      `${degraded > 0 ? `, ${degraded} degraded` : ''}${givenUp(listed, Math.min(...open))}, at least ${required} required` +
      (failedOver ? `; ${Math.round(preferred * 100)} % of calls go to the endpoints of priority 0` : '') +
      discoveryText(source) +
      certificateTrouble,
    ready,
    total: inUse.length,
    required,
    panic,
    discovery: { state: source.state, error: source.error },
    ...certificatesOf(tls),
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
function healthOfChannel({ state, source, panic, tls }: ClientSnapshot): ClientHealth {
  const ready = state === 'ready';
  const certificateTrouble = troubleOf(tls);
  return {
    status: ready ? (certificateTrouble === '' ? 'up' : 'degraded') : 'down',
    message: `the channel is ${state}; only the control plane knows its endpoints${certificateTrouble}`,
    ready: Number(ready),
    total: 1,
    required: 1,
    panic,
    discovery: { state: source.state, error: source.error },
    ...certificatesOf(tls),
    endpoints: {},
  };
}

/** What is wrong with certificates, as the end of a sentence. */
export function troubleOf(tls: CertificateSnapshot | undefined): string {
  if (tls === undefined) return '';
  const { state, error, expiring, expires, expiresInMs } = tls;
  const unusable = state === 'rejected' || state === 'failed' ? `; certificates cannot be used: ${error}` : '';
  if (!expiring || expires === null) return unusable;
  const when = new Date(expires).toISOString();
  return `${unusable}; its certificate ${expiresInMs! > 0 ? 'expires' : 'expired'} at ${when}`;
}

function certificatesOf(tls: CertificateSnapshot | undefined): Pick<ClientHealth, 'certificates'> {
  return tls === undefined ? {} : { certificates: certificateHealth(tls) };
}

export function certificateHealth(tls: CertificateSnapshot): CertificateHealth {
  const { state, error, expires, expiresInMs } = tls;
  return {
    state,
    error,
    expires: expires === null ? null : new Date(expires).toISOString(),
    expiresInSeconds: expiresInMs === null ? null : Math.floor(expiresInMs / 1000),
  };
}
