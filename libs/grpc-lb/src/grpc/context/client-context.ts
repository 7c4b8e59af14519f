import type { Clock } from '../../core/clock.js';
import type { HealthNotOffered, LbEvent, LbEventListener } from '../../core/events.js';
import { isDeepStrictEqual } from 'node:util';
import type { OwnStall } from '../../core/own-stall.js';
import type { EffectiveLoadBalancing } from '../../core/options/load-balancing.js';
import { printableError } from '../../core/printable.js';
import type { EndpointChance } from '../../core/picking/chances.js';
import type { Random } from '../../core/random.js';
import type { ServiceConfig } from '@grpc/grpc-js';
import type { ClientState, EndpointSnapshot, PrioritySnapshot, SourceSnapshot } from '../../core/snapshot.js';
import { withoutSecrets } from '../../core/target-secrets.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX } from '../experimental.js';
import { ownStallOf } from './own-stall.js';
import { localZone } from './local-zone.js';
import { pendingSource } from '../resolver/source-summary.js';
import type { MethodInfo } from '../config/service-config.js';
import { systemClock } from './system-clock.js';
import type { StandbyEndpoint } from '../channel/explain.js';

/** The channel option that hands the context to the resolver and the balancer. grpc-js does not compare it. */
export const CONTEXT_OPTION = `${SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.grpc_lb_context`;

/** How often an event says that load reports were rejected, or that watches end soon. */
const TROUBLE_INTERVAL_MS = 10_000;

/** What the balancer of a client answers for. */
export interface BalancerView {
  readonly inFlight: number;
  readonly pending: number;
  readonly panic: boolean;
  endpoints(): EndpointSnapshot[];
  priorities(): PrioritySnapshot[];
  standbys(): StandbyEndpoint[];
  explain(): readonly EndpointChance[];
  /** New load-balancing options are in force. */
  reconfigure(): void;
}

/** What the resolver of a client answers for, while it runs. */
export interface DiscoveryView {
  readonly sources: readonly { snapshot(): SourceSnapshot }[];
  /** Asks the sources again. */
  refresh(): void;
  /** Hands the service config out again. */
  configChanged(): void;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type EventBody = DistributiveOmit<LbEvent, 'client' | 'time'>;

/**
 * What the parts of one client share. grpc-js builds the resolver and the balancer itself, possibly more than once
 * (a channel that goes idle drops both), so what must outlive them is here.
 */
export class ClientContext {
  state: ClientState = 'idle';
  discovery: DiscoveryView | undefined;
  balancer: BalancerView | undefined;
  /** Whether this process itself stood still. It is noticed while the client has a balancer. */
  readonly ownStall: OwnStall;
  #loadBalancing: EffectiveLoadBalancing;
  #zone: string | undefined;
  readonly #saidNotOffered = new Set<HealthNotOffered>();
  #saidNoReports = false;
  #reportsRejected = 0;
  readonly #rejectedEvents: TokenBucket;
  #watchesBackedOff = 0;
  readonly #backedOffEvents: TokenBucket;
  readonly #untold: LbEvent[] = [];

  constructor(
    readonly name: string,
    /** By priority: the endpoints of the first are used while they can bear the load. */
    readonly targets: readonly string[],
    loadBalancing: EffectiveLoadBalancing,
    private readonly onEvent: LbEventListener = () => {},
    readonly clock: Clock = systemClock,
    readonly random: Random = Math.random,
    /** What grpc-js is told of the client's methods; null for what the channel options say. */
    readonly serviceConfig: (discovered?: object) => ServiceConfig | null = () => null,
    readonly methods: readonly MethodInfo[] = [],
  ) {
    this.#loadBalancing = loadBalancing;
    this.ownStall = ownStallOf(clock);
    this.#rejectedEvents = new TokenBucket(1, TROUBLE_INTERVAL_MS, clock);
    this.#backedOffEvents = new TokenBucket(1, TROUBLE_INTERVAL_MS, clock);
    this.#findZone();
  }

  get loadBalancing(): EffectiveLoadBalancing {
    return this.#loadBalancing;
  }

  set loadBalancing(next: EffectiveLoadBalancing) {
    const { locality } = this.#loadBalancing;
    this.#loadBalancing = next;
    if (!isDeepStrictEqual(locality, next.locality)) this.#findZone();
  }

  /** The client's own zone; undefined where zones do not count. */
  get zone(): string | undefined {
    return this.#zone;
  }

  get target(): string {
    return this.targets.map(withoutSecrets).join(' ');
  }

  sourceSnapshots(): SourceSnapshot[] {
    return this.discovery?.sources.map((source) => source.snapshot()) ?? this.targets.map(pendingSource);
  }

  /**
   * Events are told in their order, but only when what brings them about is done: a listener may call `configure()`,
   * and one that throws harms nobody.
   */
  emit(event: EventBody): void {
    this.#untold.push({ ...event, client: this.name, time: Date.now() });
    if (this.#untold.length === 1) queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    for (const event of this.#untold.splice(0)) {
      try {
        this.onEvent(event);
      } catch (error) {
        process.emitWarning(
          `A listener of client ${this.name} failed at ${event.type}: ${printableError(error)}`,
          'GrpcLbWarning',
        );
      }
    }
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

  /** Said once for each reason: what holds for one server mostly holds for all. */
  healthNotOffered(address: string, why: HealthNotOffered): void {
    if (this.#saidNotOffered.has(why)) return;
    this.#saidNotOffered.add(why);
    this.emit({ type: 'health_not_offered', address, why });
  }

  watchBackedOff(address: string, watch: 'health' | 'load_reports', reason: string): void {
    this.#watchesBackedOff++;
    if (!this.#backedOffEvents.take()) return;
    this.emit({ type: 'watch_backed_off', address, watch, reason, total: this.#watchesBackedOff });
  }

  /** Said once, as policies go without. */
  loadReportsNotOffered(): void {
    if (this.#saidNoReports) return;
    this.#saidNoReports = true;
    this.emit({ type: 'load_reports_not_offered' });
  }

  loadReportRejected(address: string): void {
    this.#reportsRejected++;
    if (!this.#rejectedEvents.take()) return;
    this.emit({ type: 'load_report_rejected', address, total: this.#reportsRejected });
  }

  /** grpc-js prints channel options as JSON when it traces; a context is live and full of cycles. */
  toJSON(): string {
    return `client ${this.name}`;
  }
}
