import type { Cancel } from '../../core/clock.js';
import { checkEndpoints } from '../../core/endpoint-check.js';
import type { Endpoint } from '../../core/endpoint.js';
import type { EndpointAnswer, EndpointListener, EndpointSource } from '../../core/endpoint-source.js';
import type { EventBody, ListInUse } from '../../core/events.js';
import { printable, printableError } from '../../core/printable.js';
import type { SourceSnapshot } from '../../core/snapshot.js';
import { withoutSecrets } from '../../core/target-secrets.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { createEndpointSource, parseTarget } from '../../discovery/index.js';
import type { ClientContext } from '../context/client-context.js';
import { faultOfConfig } from './discovered-config.js';
import { pendingSource } from './source-summary.js';

/** How long the last endpoints stay in use after an authority reports an empty list. */
const EMPTY_GRACE_MS = 30_000;
/** Events of a flapping source are limited to one per interval. */
const TELL_INTERVAL_MS = 10_000;
/** Limits the warnings of a source whose text always differs. */
const MAX_WARNINGS = 100;

/** One target of a client: its source, the last good list, and the state of discovery. */
export class TrackedSource implements EndpointListener {
  /** The target without secrets, for errors, events and snapshots. */
  private readonly uri: string;
  endpoints: readonly Endpoint[] = [];
  /** The service config of the last list, valid or not. */
  #serviceConfig: object | undefined;
  #validConfig: object | undefined;
  #snapshot: SourceSnapshot;
  readonly #source: EndpointSource;
  readonly #warned = new Set<string>();
  #stopped = false;
  #cancelGrace: Cancel | undefined;
  readonly #events: TokenBucket;
  /** The last reported failure, until discovery recovers. */
  #told: string | undefined;

  /** @throws GrpcLbOptionsError if the target is invalid. */
  constructor(
    uri: string,
    private readonly context: ClientContext,
    /** Called on a new list, or on the first failure. */
    private readonly changed: () => void,
  ) {
    this.uri = withoutSecrets(uri);
    this.#source = createEndpointSource(parseTarget(uri), context);
    this.#snapshot = pendingSource(uri);
    this.#events = new TokenBucket(1, TELL_INTERVAL_MS, context.clock);
  }

  get pending(): boolean {
    return this.#snapshot.state === 'pending';
  }

  /**
   * The service config of the last list; if it is invalid, the one that was in force before (gRFC A21). Checked when it
   * is asked for, not with each list, since the check is expensive and a source may flap.
   */
  validServiceConfig(): object | undefined {
    const latest = this.#serviceConfig;
    const fault = latest === undefined ? null : faultOfConfig(latest);
    if (fault === null) this.#validConfig = latest;
    else this.onWarning(`the service config from discovery is ignored: ${fault}`);
    return this.#validConfig;
  }

  start(): void {
    this.#source.start(this);
  }

  refresh(): void {
    this.#source.refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelGrace?.();
    this.#source.stop();
  }

  snapshot(): SourceSnapshot {
    const { state, lastUpdate } = this.#snapshot;
    return {
      ...this.#snapshot,
      staleForMs: state === 'stale' && lastUpdate !== null ? Date.now() - lastUpdate : null,
    };
  }

  onEndpoints(list: readonly Endpoint[], answer: EndpointAnswer = {}): void {
    if (this.#stopped) return;
    const { authoritative = false, clusterIp = false, serviceConfig } = answer;
    const { good, dropped, fault } = checkEndpoints(list);
    this.#snapshot = { ...this.#snapshot, clusterIp, dropped: this.#snapshot.dropped + dropped };
    const bad = fault === undefined ? null : `${dropped} of ${good.length + dropped} endpoints dropped: ${fault}`;
    if (good.length > 0) return this.#use(good, serviceConfig, bad);
    if (bad !== null || !authoritative) return this.#fail(bad ?? `${this.uri} lists no endpoints`);
    if (this.endpoints.length === 0) return this.#use([], serviceConfig, null);
    this.#letGo();
  }

  onError(error: Error): void {
    if (!this.#stopped) this.#fail(printableError(error));
  }

  onWarning(text: string): void {
    const warning = printable(text);
    if (this.#stopped || this.#warned.has(warning) || this.#warned.size === MAX_WARNINGS) return;
    this.#warned.add(warning);
    this.#emit({ type: 'discovery_warning', target: this.uri, warning });
  }

  #use(endpoints: readonly Endpoint[], serviceConfig: object | undefined, error: string | null): void {
    this.#endGrace();
    this.endpoints = endpoints;
    this.#serviceConfig = serviceConfig;
    this.#snapshot = {
      ...this.#snapshot,
      state: 'ok',
      lastUpdate: Date.now(),
      error,
      endpoints: endpoints.length,
      updates: this.#snapshot.updates + 1,
    };
    if (error !== null) this.#tell(error, 'part');
    else if (this.#told !== undefined) {
      this.#told = undefined;
      this.#emit({ type: 'discovery_recovered', target: this.uri });
    }
    this.changed();
  }

  /**
   * Keeps the last good list in use, even if an authority has reported an empty one: while it fails, it cannot correct
   * that.
   */
  #fail(error: string, uses: ListInUse = this.endpoints.length > 0 ? 'last' : 'none'): void {
    const { pending } = this;
    this.#endGrace();
    const state = this.endpoints.length > 0 ? 'stale' : 'failed';
    this.#snapshot = { ...this.#snapshot, state, error, failures: this.#snapshot.failures + 1 };
    this.#tell(error, uses);
    if (pending || this.endpoints.length === 0) this.changed();
  }

  /**
   * Handles an empty list from an authority. The authority may be restarting, so the last endpoints stay for a grace
   * time.
   */
  #letGo(): void {
    if (this.#cancelGrace) return;
    const remedy = `the last ${this.endpoints.length} are removed in ${EMPTY_GRACE_MS / 1000} s`;
    this.#fail(`${this.uri} no longer lists endpoints; ${remedy}`, 'leaving');
    this.#cancelGrace = this.context.clock.after(EMPTY_GRACE_MS, () => {
      // Emit no `discovery_recovered`: the endpoints are gone, as reported.
      this.#told = undefined;
      this.#use([], undefined, null);
    });
  }

  #endGrace(): void {
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
  }

  #tell(error: string, uses: ListInUse): void {
    if (error === this.#told || !this.#events.take()) return;
    this.#told = error;
    this.#emit({ type: 'discovery_failed', target: this.uri, error, uses });
  }

  #emit(event: EventBody): void {
    this.context.emit(event);
  }
}
