import type { CriticalityLevel } from '../../call/criticality.js';
import type { Cancel } from '../../clock.js';
import type { LoadReport } from '../../policy/load-report.js';
import { addressToString, type Endpoint, type Locality } from '../../endpoint.js';
import type { Choosable } from '../../picking/choice.js';
import { ShedAttempts } from '../../load/shed-attempts.js';
import type { EndpointSnapshot, EndpointState } from '../../snapshot.js';
import type { BalancingEnvironment } from '../environment.js';
import { Degradation } from '../health/degradation.js';
import { PassiveHealth, type PassiveHealthOwner } from '../health/passive-health.js';
import type { PeerComparison } from '../health/peer-comparison.js';
import type { CountedEndpoint } from '../calls/ledger.js';
import type { Routable } from '../route/route.js';
import type { MoveReason } from '../../streams/placed-stream.js';
import { streamsSnapshot } from '../../streams/stream-ages.js';
import type { StreamHome } from '../../streams/stream-home.js';
import { type Carrier, type Link, NO_LINK } from './link.js';
import type { Settling } from './link-turns.js';

export interface MemberOwner<C extends Carrier> {
  readonly environment: BalancingEnvironment;
  /** All members, for comparison. */
  readonly peers: PeerComparison;
  /** Decides when streams that can resume move. */
  readonly streams: StreamHome<Member<C>>;
  /** Milliseconds since the first of all members returned from an outage of all; Infinity if there was none. */
  readonly sinceOutage: number;
  /** Creates the link to a member that joins. */
  connect(member: Member<C>, endpoint: Endpoint): Link<C>;
  /** The open streams of a member that last. */
  streamsOf(member: Member<C>): ReadonlySet<{ readonly reservedAt: number }>;
  /** Called when a member may be picked or no longer, or takes a different number of calls. */
  memberChanged(member: Member<C>): void;
  /** Called when a member has its first connection, or one again. */
  memberConnected(member: Member<C>): void;
  /** Called when a member has reported its load out of band. */
  memberReported(member: Member<C>, report: LoadReport): void;
  /** Called when a member has left and its last call has ended; possibly more than once. */
  memberGone(member: Member<C>): void;
}

/** The states in which its streams go elsewhere. A silent endpoint may only be slow to answer. */
const LEAVES: Readonly<Partial<Record<EndpointState, MoveReason>>> = {
  draining: 'removed',
  not_serving: 'draining',
  ejected: 'ejected',
  suspect: 'silent',
};

/** An endpoint that a balancer uses, with its counters. It outlives pickers and policies. */
export class Member<C extends Carrier> implements Choosable, CountedEndpoint, Routable, PassiveHealthOwner, Settling {
  /** Includes the refusals that still count as load. */
  inFlight = 0;
  lingering = 0;
  streams = 0;
  joinedAt: number | undefined;
  /** Attempts in a row, since its last answer, that were cancelled because others were faster. */
  superseded = 0;
  started = 0;
  succeeded = 0;
  /** When it last answered a call with OK, or became ready, by the clock. */
  servedAt = -Infinity;
  failed = 0;
  weight = 1;
  priority = 0;
  locality: Locality | null = null;
  /** Whether it is in the local zone; true if zones are ignored. */
  inLocalZone = true;
  failureFactor = 1;
  /** Whether calls could reach it when the balancer last looked. */
  wasConnected = false;
  readonly key: string;
  link: Link<C> = NO_LINK;
  readonly passiveHealth: PassiveHealth;
  readonly degradation: Degradation;
  state: EndpointState = 'connecting';
  /** When it entered that state, by the clock. */
  since: number;
  /** The same in milliseconds since the epoch. */
  #sinceEpoch: number;
  reason: string | null = null;
  /** Undefined before it sheds the first. */
  shedAttempts: ShedAttempts | undefined;

  queued = false;
  #draining = false;
  /** Whether its link is open. */
  #linked = false;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly owner: MemberOwner<C>,
    /** Whether it joins a client that is already in use. */
    private startsSlowly: boolean,
  ) {
    this.key = addressToString(endpoint.address);
    this.since = owner.environment.clock.now();
    this.#sinceEpoch = owner.environment.epoch();
    this.degradation = new Degradation(owner.environment.clock, () => this.update());
    this.describe(endpoint);
    this.passiveHealth = new PassiveHealth(owner.environment, this, owner.peers);
  }

  /** Updates what discovery reports about it. */
  describe({ weight, priority, locality, degraded }: Endpoint): void {
    this.weight = weight ?? 1;
    this.priority = priority ?? 0;
    this.locality = locality ?? null;
    this.degradation.list(degraded ?? false);
    if (this.state === 'ready' || this.state === 'degraded') this.update();
  }

  get connected(): boolean {
    return !this.#draining && this.link.usable;
  }

  get suspect(): boolean {
    return this.state === 'suspect';
  }

  get healthy(): boolean {
    return this.state === 'ready';
  }

  get degraded(): boolean {
    return this.state === 'degraded';
  }

  /** Whether it could carry calls. */
  get serves(): boolean {
    return this.healthy || this.degraded;
  }

  get probing(): boolean {
    return this.passiveHealth.probing;
  }

  get wantsProbe(): boolean {
    return this.passiveHealth.wantsProbe && this.connected && this.link.serving && !this.suspect;
  }

  get warmth(): number {
    return this.passiveHealth.warmth;
  }

  get leaves(): MoveReason | undefined {
    return LEAVES[this.state];
  }

  /** Decides when streams that can resume move. */
  get placement(): StreamHome<Member<C>> {
    return this.owner.streams;
  }

  /** Calls that have not ended. */
  get running(): number {
    return this.inFlight - this.lingering + this.streams;
  }

  /** Whether it refuses more calls than the others. */
  get refusesMore(): boolean {
    return this.owner.peers.refusesMore(this.passiveHealth);
  }

  /** Whether it fails or refuses more calls than the others, if there are others. */
  get failsMore(): boolean {
    return this.owner.peers.comparable && (this.failureFactor > 1 || this.refusesMore);
  }

  /** Called when a probe has ended without a verdict: one of the waiting calls becomes the next probe. */
  probeLapsed(): void {
    this.owner.memberChanged(this);
  }

  ejectionChanged(): void {
    this.update();
  }

  askReport(told: (report: LoadReport | undefined) => void): Cancel {
    return this.link.askReport(told);
  }

  warmedUp(): void {
    this.owner.memberChanged(this);
  }

  /** Called when calls can reach it for the first time, or again. */
  reachable(): void {
    if (!this.#draining) this.owner.memberConnected(this);
  }

  reported(report: LoadReport): void {
    this.owner.memberReported(this, report);
  }

  /** Called when discovery no longer lists it: no more calls; those in flight end by themselves. */
  depart(): void {
    this.#draining = true;
    this.passiveHealth.leave();
    this.update();
  }

  /** Called when discovery lists it again while it drains. */
  rejoin(): void {
    this.#draining = false;
    this.passiveHealth.rejoin();
    // At once: until its connections are taken back it would look like one that has lost them, and start slowly.
    this.settle();
    this.update();
  }

  get due(): 'open' | 'drain' | undefined {
    if (this.#linked !== this.#draining) return undefined;
    return this.#draining ? 'drain' : 'open';
  }

  settle(): void {
    const { due } = this;
    if (due === undefined) return;
    this.#linked = due === 'open';
    if (due === 'drain') return this.link.drain();
    if (this.link === NO_LINK) this.link = this.owner.connect(this, this.endpoint);
    this.link.open();
  }

  /** Applies changed options; also to connections that drain, since their streams may last for hours. */
  configure(): void {
    this.link.configure();
  }

  close(): void {
    this.passiveHealth.close();
    this.degradation.close();
    this.link.close();
  }

  /** Called when its link or its passive health has changed. */
  update(): void {
    const from = this.state;
    // The endpoint may return as a different process, to which the old failures do not apply. While it drains its
    // connections take no calls, but may be taken back.
    if (!this.link.usable && !this.#draining) {
      this.passiveHealth.reset();
      this.degradation.close();
    }
    const to = this.#currentState();
    this.reason = this.#currentReason(to);
    if (to !== from) this.#enter(to, from);
    this.owner.memberChanged(this);
    if (this.#draining && this.link.empty && this.running === 0) this.owner.memberGone(this);
  }

  /** Called when it has shed an attempt, because it has too much to do. */
  shed(level: CriticalityLevel): void {
    const { environment } = this.owner;
    environment.totals.attemptShed(level);
    const begins = (this.shedAttempts ??= new ShedAttempts()).add(level, environment.clock.now());
    if (begins) environment.emit({ type: 'shedding', address: this.key, on: true });
  }

  /** Called when it has answered an attempt, if it has ever shed one. */
  answeredAfterShedding(): void {
    const { environment } = this.owner;
    const over = this.shedAttempts!.answered(environment.clock.now());
    if (over) environment.emit({ type: 'shedding', address: this.key, on: false });
  }

  snapshot(): EndpointSnapshot {
    return {
      address: this.key,
      state: this.state,
      since: this.#sinceEpoch,
      reason: this.reason,
      weight: this.weight,
      priority: this.priority,
      locality: this.locality,
      warmth: this.warmth,
      failureRate: this.passiveHealth.failureRate,
      refusalRate: this.passiveHealth.refusalRate,
      inFlight: this.running,
      streams: streamsSnapshot(this.owner.streamsOf(this), this.owner.environment.clock.now()),
      started: this.started,
      succeeded: this.succeeded,
      failed: this.failed,
      shed: { ...this.shedAttempts?.counts },
      shedding: this.shedAttempts?.sheds(this.owner.environment.clock.now()) ?? false,
      connections: this.link.snapshot(),
    };
  }

  #enter(to: EndpointState, from: EndpointState): void {
    const { environment } = this.owner;
    this.state = to;
    this.since = environment.clock.now();
    this.#sinceEpoch = environment.epoch();
    if (this.serves) this.servedAt = this.since;
    // An endpoint that returns while it drains, or after it was silent, was running all the time.
    const wasWarm = from === 'draining' || from === 'suspect' || from === 'ready' || from === 'degraded';
    if (this.serves && !wasWarm) this.#warmUp(from === 'ejected');
    const reason = this.reason ?? (to === 'ready' ? this.passiveHealth.withdrawn : undefined) ?? null;
    environment.emit({ type: 'endpoint_state', address: this.key, from, to, reason });
    const { leaves } = this;
    if (leaves) this.placement.vacate(this, leaves);
  }

  /** An endpoint that joins later, or returns, starts slowly; those in the client's first list do not. */
  #warmUp(afterEjection: boolean): void {
    if (this.startsSlowly) {
      this.passiveHealth.startSlowly(afterEjection, this.owner.sinceOutage);
      this.joinedAt = this.owner.environment.clock.now();
    }
    this.startsSlowly = true;
  }

  #currentState(): EndpointState {
    if (this.#draining) return 'draining';
    if (!this.link.usable) return this.link.failing ? 'transient_failure' : 'connecting';
    if (this.link.suspicion !== undefined) return 'suspect';
    if (!this.link.serving) return 'not_serving';
    if (this.passiveHealth.ejected) return 'ejected';
    return this.degradation.reason === undefined ? 'ready' : 'degraded';
  }

  #currentReason(state: EndpointState): string | null {
    switch (state) {
      case 'draining':
        return 'the endpoint is no longer used; its calls are ending';
      case 'ready':
        return null;
      case 'degraded':
        return this.degradation.reason!;
      case 'not_serving':
        return this.link.notServing;
      case 'suspect':
        return this.link.suspicion!;
      case 'ejected':
        return this.passiveHealth.ejectionReason!;
      default:
        return this.link.failure;
    }
  }
}
