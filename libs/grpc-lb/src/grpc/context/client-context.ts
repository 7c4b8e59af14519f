import type { BalancingEnvironment } from '../../core/balancing/environment.js';
import type { Clock } from '../../core/clock.js';
import type { EventBody, HealthNotOffered, LbEvent, LbEventListener } from '../../core/events.js';
import { isDeepStrictEqual } from 'node:util';
import type { OwnStall } from '../../core/own-stall.js';
import type { EffectiveLoadBalancing } from '../../core/options/load-balancing.js';
import { onRejection } from '../../core/on-rejection.js';
import { printableError } from '../../core/printable.js';
import type { WeightsUpdate } from '../../core/policy/weights-update.js';
import type { EndpointChance } from '../../core/picking/chances.js';
import type { CallInfo } from '../../core/policy/policy.js';
import type { Random } from '../../core/random.js';
import type { ServiceConfig } from '@grpc/grpc-js';
import type { ClientState, EndpointSnapshot, PrioritySnapshot, SourceSnapshot } from '../../core/snapshot.js';
import { withoutSecrets } from '../../core/target-secrets.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { Totals } from '../../core/totals.js';
import { SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX } from '../experimental.js';
import { outside } from './outside.js';
import { ownStallOf } from './own-stall.js';
import { localZone } from './local-zone.js';
import { pendingSource } from '../resolver/source-summary.js';
import type { MethodInfo } from '../config/service-config.js';
import type { ClientTls } from '../tls/client-tls.js';
import type { TargetNames } from './target-names.js';
import { systemClock } from './system-clock.js';
import type { StandbyEndpoint } from '../../core/balancing/members/members.js';

/** The channel option that passes the context to the resolver and the balancer. grpc-js does not compare it. */
export const CONTEXT_OPTION = `${SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.grpc_lb_context`;

/** How often an event reports rejected load reports, or watches that end early. */
const TROUBLE_INTERVAL_MS = 10_000;
/** Failures of the listener of events that are reported at once; then one in each interval. */
const FAILURES_AT_ONCE = 10;
/** How many events are delivered in one turn of the event loop. */
const EVENTS_AT_ONCE = 1000;

/** What a client asks its balancer. */
export interface BalancerView {
  readonly inFlight: number;
  readonly pending: number;
  readonly panic: boolean;
  endpoints(): EndpointSnapshot[];
  priorities(): PrioritySnapshot[];
  standbys(): StandbyEndpoint[];
  explain(call?: CallInfo): readonly EndpointChance[];
  /** Addresses that `drain` has taken out of use. */
  readonly drained: readonly string[];
  /** These return false if no endpoint is in use at the address. */
  eject(address: string, durationMs: number, reason: string): boolean;
  drain(address: string): boolean;
  recycle(address: string): boolean;
  /** Returns false if neither `eject` nor `drain` was in force. */
  restore(address: string): boolean;
  /** Called when new load-balancing options are in force. */
  reconfigure(): void;
}

/** What a client asks its resolver while it runs. */
export interface DiscoveryView {
  readonly sources: readonly { snapshot(): SourceSnapshot }[];
  /** Queries the sources again. */
  refresh(): void;
  /** Delivers the service config again. */
  configChanged(): void;
}

/**
 * Called with the service config that discovery provides; returns the one for grpc-js, or null for that of the channel
 * options.
 */
export type ServiceConfigFor = (discovered?: object) => ServiceConfig | null;

export interface ClientContextOptions {
  readonly name: string;
  readonly targets: readonly string[];
  readonly loadBalancing: EffectiveLoadBalancing;
  readonly onEvent?: LbEventListener | undefined;
  /** Default: real time. */
  readonly clock?: Clock | undefined;
  /** Default: `Math.random`. */
  readonly random?: Random | undefined;
  readonly serviceConfigFor?: ServiceConfigFor;
  readonly methods?: readonly MethodInfo[] | undefined;
  /** Counts what happens. Default: nothing so far. */
  readonly totals?: Totals;
}

/** The async context of a call. */
interface CallScope {
  runInAsyncScope(action: () => void): void;
}

/**
 * State that the parts of one client share. grpc-js creates the resolver and the balancer itself, possibly more than
 * once (a channel that goes idle drops both), so state that must outlive them is here.
 */
export class ClientContext implements BalancingEnvironment {
  state: ClientState = 'idle';
  discovery: DiscoveryView | undefined;
  balancer: BalancerView | undefined;
  /** Detects stalls of this process while the client has a balancer. */
  readonly ownStall: OwnStall;
  /** Whether connections use TLS, as far as this package knows. */
  secure = false;
  /** TLS by the option `tls`. */
  tls: ClientTls | undefined;
  /** The names that TLS verifies; undefined without TLS, and if the channel options name one. */
  targetNames: TargetNames | undefined;
  /** The `:authority` of calls to each endpoint; undefined if it is the same for all. */
  authorities: TargetNames | undefined;
  /** Is told of new weights of `weighted_round_robin`. */
  onWeights: ((update: WeightsUpdate) => void) | undefined;
  #loadBalancing: EffectiveLoadBalancing;
  #zone: string | undefined;
  readonly #saidNotOffered = new Set<HealthNotOffered>();
  #saidNoReports = false;
  readonly #rejectedEvents: TokenBucket;
  readonly #backedOffEvents: TokenBucket;
  readonly #failureWarnings: TokenBucket;
  /** Failures of the listener since the last that was reported. */
  #unreportedFailures = 0;
  readonly #untold: LbEvent[] = [];
  /** Of the events that concern one call. */
  readonly #calls = new WeakMap<LbEvent, CallScope>();

  readonly name: string;
  /** In order of priority: the endpoints of the first are used while they can carry the load. */
  readonly targets: readonly string[];
  /** The targets without secrets. */
  readonly target: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly methods: readonly MethodInfo[];
  readonly totals: Totals;
  readonly #onEvent: LbEventListener;
  readonly #serviceConfigFor: ServiceConfigFor;

  constructor(options: ClientContextOptions) {
    this.name = options.name;
    this.targets = options.targets;
    this.target = options.targets.map(withoutSecrets).join(' ');
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? Math.random;
    this.methods = options.methods ?? [];
    this.totals = options.totals ?? new Totals();
    this.#onEvent = options.onEvent ?? (() => {});
    this.#serviceConfigFor = options.serviceConfigFor ?? (() => null);
    this.#loadBalancing = options.loadBalancing;
    this.ownStall = ownStallOf(this.clock);
    this.#rejectedEvents = new TokenBucket(1, TROUBLE_INTERVAL_MS, this.clock);
    this.#backedOffEvents = new TokenBucket(1, TROUBLE_INTERVAL_MS, this.clock);
    this.#failureWarnings = new TokenBucket(FAILURES_AT_ONCE, TROUBLE_INTERVAL_MS, this.clock);
    this.#findZone();
  }

  epoch(): number {
    return Date.now();
  }

  /** The service config for grpc-js; null if the channel options apply. */
  serviceConfig(discovered?: object): ServiceConfig | null {
    return this.#serviceConfigFor(discovered);
  }

  get loadBalancing(): EffectiveLoadBalancing {
    return this.#loadBalancing;
  }

  /** Unchanged parts stay the same objects. */
  set loadBalancing(next: EffectiveLoadBalancing) {
    const before = this.#loadBalancing;
    this.#loadBalancing = withUnchanged(before, next);
    if (this.#loadBalancing.locality !== before.locality) this.#findZone();
  }

  /** The local zone; undefined if zones are ignored. */
  get zone(): string | undefined {
    return this.#zone;
  }

  sourceSnapshots(): SourceSnapshot[] {
    return this.discovery?.sources.map((source) => source.snapshot()) ?? this.targets.map(pendingSource);
  }

  /**
   * Emits events in order, after the operation that causes them: a listener may call `configure()`, and an error that
   * it throws does not affect the client.
   *
   * @param call The call that the event is about; its listeners then run in the async context of that call. Otherwise
   *   they run outside of any call.
   */
  emit(event: EventBody, call?: CallScope): void {
    const told: LbEvent = Object.assign(event, { client: this.name, time: Date.now() });
    if (call) this.#calls.set(told, call);
    this.#untold.push(told);
    if (this.#untold.length === 1) queueMicrotask(() => outside(() => this.#tell()));
  }

  #tell(): void {
    const events = this.#untold.splice(0, EVENTS_AT_ONCE);
    // Calls run before the next events of a change of thousands of endpoints.
    if (this.#untold.length > 0) setImmediate(() => this.#tell());
    for (const event of events) {
      const failed = (error: unknown): void => this.#listenerFailed(event, error);
      try {
        const call = this.#calls.get(event);
        if (call) call.runInAsyncScope(() => onRejection(this.#onEvent(event), failed));
        else onRejection(this.#onEvent(event), failed);
      } catch (error) {
        failed(error);
      }
    }
  }

  #listenerFailed({ type }: LbEvent, error: unknown): void {
    if (!this.#failureWarnings.take()) {
      this.#unreportedFailures++;
      return;
    }
    const more = this.#unreportedFailures > 0 ? ` (and ${this.#unreportedFailures} more times before)` : '';
    this.#unreportedFailures = 0;
    const text = `A listener of client ${this.name} failed at ${type}: ${printableError(error)}${more}`;
    process.emitWarning(text, 'GrpcLbWarning');
  }

  setState(to: ClientState, reason: string | null = null): void {
    const from = this.state;
    if (from === to || from === 'shutdown') return;
    this.state = to;
    this.emit({ type: 'client_state', from, to, reason });
  }

  #findZone(): void {
    this.#zone = localZone(this.#loadBalancing.locality, (warning) =>
      this.emit({ type: 'discovery_warning', target: null, warning }),
    );
  }

  /** Reported once per reason: the cause is usually the same on all servers. */
  healthNotOffered(address: string, why: HealthNotOffered): void {
    if (this.#saidNotOffered.has(why)) return;
    this.#saidNotOffered.add(why);
    this.emit({ type: 'health_not_offered', address, why });
  }

  watchBackedOff(address: string, watch: 'health' | 'load_reports', reason: string): void {
    const { watchesBackedOff } = this.totals;
    watchesBackedOff[watch === 'health' ? 'health' : 'loadReports']++;
    if (!this.#backedOffEvents.take()) return;
    const total = watchesBackedOff.health + watchesBackedOff.loadReports;
    this.emit({ type: 'watch_backed_off', address, watch, reason, total });
  }

  /** Reported once, because policies work without load reports. */
  loadReportsNotOffered(): void {
    if (this.#saidNoReports) return;
    this.#saidNoReports = true;
    this.emit({ type: 'load_reports_not_offered' });
  }

  loadReportRejected(address: string): void {
    const total = ++this.totals.loadReportsRejected;
    if (!this.#rejectedEvents.take()) return;
    this.emit({ type: 'load_report_rejected', address, total });
  }

  weightsUpdated(update: WeightsUpdate): void {
    this.onWeights?.(update);
  }

  /** grpc-js prints channel options as JSON in traces; a context has cycles. */
  toJSON(): string {
    return `client ${this.name}`;
  }
}

function withUnchanged<T extends object>(before: T, next: T): T {
  const parts = Object.entries(next).map(([name, part]: [string, unknown]) => {
    const old = before[name as keyof T];
    return [name, isDeepStrictEqual(old, part) ? old : part];
  });
  return Object.fromEntries(parts) as T;
}
