import { isDeepStrictEqual } from 'node:util';
import { CallCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { Balancing } from '../../core/balancing/balancing.js';
import type { StandbyEndpoint } from '../../core/balancing/members/members.js';
import type { Cancel } from '../../core/clock.js';
import type { EndpointChance } from '../../core/picking/chances.js';
import type { CallInfo } from '../../core/policy/policy.js';
import { printable } from '../../core/printable.js';
import type { EndpointSnapshot, PrioritySnapshot } from '../../core/snapshot.js';
import { type CallEnvironment, CALLS_OPTION } from '../call/call-environment.js';
import type { LbConfig } from '../config/lb-config.js';
import { outside } from '../context/outside.js';
import { type BalancerView, type ClientContext, CONTEXT_OPTION } from '../context/client-context.js';
import { ConnectGate } from '../endpoint/connect-gate.js';
import type { Connection } from '../endpoint/connection.js';
import type { ConnectionEnvironment } from '../endpoint/connection-site.js';
import { PooledEndpoint } from '../endpoint/pooled-endpoint.js';
import type { ChannelControlHelper, GrpcEndpoint, StatusOr, SubchannelInterface } from '../experimental.js';
import { endpointsOf } from './delegated-endpoints.js';
import { CallPublisher } from './call-publisher.js';
import { PickerPublisher } from './picker-publisher.js';
import type { Publisher } from './publisher.js';

/** How often endpoints are dialed while none is connected and calls fail, as a share of the first backoff. */
const OUTAGE_DIALS = 0.5;

/** Connects core's decisions for one channel to grpc-js: takes its lists, and publishes pickers. */
export class ClientBalancer implements BalancerView, ConnectionEnvironment {
  readonly connectGate: ConnectGate;
  readonly #balancing: Balancing<Connection>;
  readonly #publisher: Publisher;
  /** The calls of a channel of this package; undefined if grpc-js makes the calls. */
  readonly #calls: CallEnvironment | undefined;
  readonly #stopStallWatch: Cancel;
  #connectionIds = 0;
  /** Whether the channel has had a valid config. */
  #configured = false;
  #closed = false;

  constructor(
    readonly context: ClientContext,
    readonly helper: ChannelControlHelper,
    public channelOptions: ChannelOptions,
  ) {
    this.connectGate = new ConnectGate(context.clock, context.random);
    this.#calls = channelOptions[CALLS_OPTION] as CallEnvironment | undefined;
    const publisher = this.#calls
      ? new CallPublisher(context, helper, this.#calls.dispatcher)
      : new PickerPublisher(context, helper, channelOptions, () => this.#balancing.publish());
    this.#publisher = publisher;
    this.#balancing = new Balancing(context, {
      connect: (member, { address }) => new PooledEndpoint(address, this, member),
      changed: (balancing) => publisher.publish(balancing),
      released: () => publisher.released(),
    });
    this.#stopStallWatch = context.ownStall.watch();
    context.balancer = this;
  }

  /** Returns false if there is no valid config: the last one stays in force, and without one calls fail. */
  configure({ faults, loadBalancing }: LbConfig, channelOptions: ChannelOptions): boolean {
    this.channelOptions = channelOptions;
    if (faults.length > 0) {
      if (!this.#configured) this.#publisher.fail(faults.map(({ path, message }) => `${path} ${message}`).join('; '));
      return this.#configured;
    }
    // A client that this package built has its options in the context, where they may change at run time. For other
    // clients grpc-js parses the service config again with each list, so compare it with the options in force.
    if (!this.#hasOwnResolver && !isDeepStrictEqual(this.context.loadBalancing, loadBalancing)) {
      this.context.loadBalancing = loadBalancing;
      if (this.#configured) this.reconfigure();
    }
    this.#configured = true;
    return true;
  }

  /** Takes a list from discovery, or the reason why there is none; returns false if the list is not used. */
  update(endpoints: StatusOr<GrpcEndpoint[]>, note: string): boolean {
    // An empty list from this package's resolver is correct; one from another resolver may be a mistake.
    const list = endpoints.ok && (endpoints.value.length > 0 || this.#hasOwnResolver) ? endpoints.value : undefined;
    if (list) this.#balancing.adopt(endpointsOf(list));
    if (this.#balancing.size === 0) {
      this.#publisher.fail(endpoints.ok ? this.#emptiness(note) : printable(endpoints.error.details));
    }
    return !endpoints.ok || list !== undefined;
  }

  /** Why there is no endpoint. */
  #emptiness(note: string): string {
    const drained = this.#balancing.drained.join(', ');
    if (drained !== '')
      return `discovery lists only endpoints that were drained by hand, ${drained}; restore one of them`;
    return `discovery lists no endpoints${note === '' ? '' : `: ${note}`}`;
  }

  reconfigure(): void {
    this.#balancing.reconfigure();
  }

  /** Called when a call fails because no endpoint is ready. */
  wanted(): void {
    this.#balancing.wanted(OUTAGE_DIALS * (this.channelOptions['grpc.initial_reconnect_backoff_ms'] ?? 1000));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#balancing.close();
    this.#stopStallWatch();
    this.#publisher.close();
    if (this.context.balancer !== this) return;
    this.context.balancer = undefined;
    this.context.setState('idle');
  }

  get reportInterval(): number | undefined {
    return this.#balancing.policies.reportInterval;
  }

  nextConnectionId(): number {
    return ++this.#connectionIds;
  }

  subchannelCreated(subchannel: SubchannelInterface): void {
    if (this.#calls) this.#calls.dispatcher.credentials = unlessEmpty(subchannel.getCallCredentials());
  }

  askDiscovery(): void {
    outside(() => this.context.discovery?.refresh());
    // A channel that was built without this package has a resolver that does not know the context.
    if (!this.#hasOwnResolver) this.helper.requestReresolution();
  }

  get inFlight(): number {
    return this.#balancing.inFlight;
  }

  get pending(): number {
    return this.#publisher.pending;
  }

  get panic(): boolean {
    return this.#balancing.route.panic;
  }

  endpoints(): EndpointSnapshot[] {
    return this.#balancing.endpoints();
  }

  priorities(): PrioritySnapshot[] {
    return this.#balancing.priorities();
  }

  standbys(): StandbyEndpoint[] {
    return this.#balancing.standbys();
  }

  explain(call?: CallInfo): readonly EndpointChance[] {
    return this.#balancing.explain(call);
  }

  get drained(): readonly string[] {
    return this.#balancing.drained;
  }

  eject(address: string, durationMs: number, reason: string): boolean {
    return this.#balancing.eject(address, durationMs, reason);
  }

  drain(address: string): boolean {
    return outside(() => this.#balancing.drain(address));
  }

  restore(address: string): boolean {
    return outside(() => this.#balancing.restore(address));
  }

  recycle(address: string): boolean {
    return outside(() => this.#balancing.recycle(address));
  }

  get #hasOwnResolver(): boolean {
    return this.channelOptions[CONTEXT_OPTION] !== undefined;
  }
}

const EMPTY = CallCredentials.createEmpty();

function unlessEmpty(credentials: CallCredentials): CallCredentials | undefined {
  return credentials.constructor === EMPTY.constructor ? undefined : credentials;
}
