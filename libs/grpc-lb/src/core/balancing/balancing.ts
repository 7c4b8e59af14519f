import { remedyFor } from '../connection/unreachable.js';
import type { Endpoint } from '../endpoint.js';
import { chancesOf, type EndpointChance } from '../picking/chances.js';
import type { LoadReport } from '../policy/load-report.js';
import { type CallInfo, UNKNOWN_CALL } from '../policy/policy.js';
import { PolicySet } from '../policy/policy-set.js';
import type { EndpointSnapshot, PrioritySnapshot } from '../snapshot.js';
import { StreamPlacement } from '../streams/stream-placement.js';
import { Attempts } from './calls/attempts.js';
import { Homes } from './calls/homes.js';
import type { PickerSource } from './calls/picker.js';
import type { BalancingEnvironment } from './environment.js';
import { PeerComparison } from './health/peer-comparison.js';
import type { Carrier, Link } from './members/link.js';
import type { Member, MemberOwner } from './members/member.js';
import { Outage } from './members/outage.js';
import { OutageDials } from './members/outage-dials.js';
import { Members, type StandbyEndpoint } from './members/members.js';
import { Router } from './route/router.js';
import { StreamGroups } from './stream-groups.js';

/** Carries out the decisions: grpc-js's balancer, or a client of the simulator. */
export interface BalancingOwner<C extends Carrier> {
  /** Creates the link to a member that joins. */
  connect(member: Member<C>, endpoint: Endpoint): Link<C>;
  /** Called when something has changed and the next calls need a new picker. */
  changed(balancing: Balancing<C>): void;
  /** Called when a call has ended, because a connection may have room again. */
  released(): void;
}

/** Whether calls can be sent. `empty`: there is no endpoint, and discovery knows why. */
export type Condition =
  | { readonly state: 'ready' }
  | { readonly state: 'connecting' }
  | { readonly state: 'unavailable'; readonly reason: string }
  | { readonly state: 'empty' };

/**
 * The decisions of one client's balancer: which endpoints are members, which of them may be picked and for which share
 * of the calls, and what it learns when a call ends. Production and the simulator both run this class.
 */
export class Balancing<C extends Carrier> implements MemberOwner<C>, PickerSource<C> {
  readonly peers: PeerComparison;
  readonly attempts: Attempts<C>;
  /** Decides when streams that can resume move. */
  readonly streams: StreamPlacement<Member<C>>;
  readonly #members: Members<C>;
  readonly #router: Router<Member<C>>;
  readonly #outage: Outage;
  readonly #outageDials: OutageDials;
  #policies: PolicySet;
  /** The options from which the policies were created. */
  #policyOptions: Pick<BalancingEnvironment['loadBalancing'], 'policy' | 'methods'>;
  #paused = false;
  #closed = false;

  constructor(
    readonly environment: BalancingEnvironment,
    private readonly owner: BalancingOwner<C>,
    /** Creates the policies, and creates them again when their options change. */
    private readonly createPolicies = policiesOf,
  ) {
    this.#policyOptions = environment.loadBalancing;
    this.#policies = createPolicies(environment);
    this.peers = new PeerComparison(environment.clock, () => environment.loadBalancing.ejection, environment.totals);
    this.#members = new Members(
      this,
      () => this.rearrange(),
      () => this.#settle(),
    );
    this.#router = new Router(environment);
    this.streams = new StreamPlacement(new StreamGroups(environment, this.#router));
    this.#outage = new Outage(environment.clock);
    this.#outageDials = new OutageDials(environment.clock, environment.random);
    const onRelease = (member: Member<C>, carrier: C): void => {
      member.link.released(carrier);
      owner.released();
    };
    this.attempts = new Attempts(environment, this.#router, onRelease, new Homes(this));
  }

  /** Takes over a new, complete list from discovery. */
  adopt(list: readonly Endpoint[]): void {
    this.#change(() => this.#members.adopt(list));
  }

  /** Applies changed options. */
  reconfigure(): void {
    this.#renewPolicies();
    this.#change(() => {
      this.#members.rearrange();
      for (const member of this.#members.all) {
        member.configure();
        if (!this.environment.loadBalancing.ejection.enabled) member.passiveHealth.endEjection();
      }
    });
  }

  /** Selects the members again, because the priorities in use have changed. */
  rearrange(): void {
    this.#change(() => this.#members.rearrange());
  }

  /** Computes the route and publishes a picker for it. */
  publish(): void {
    if (this.#closed) return;
    this.#renewPolicies();
    this.#activate();
    this.#router.update(this.#members.priorities);
    this.owner.changed(this);
    this.streams.changed();
  }

  close(): void {
    this.#closed = true;
    this.#outageDials.close();
    this.streams.close();
    this.#members.close();
    this.attempts.close();
  }

  get size(): number {
    return this.#members.size;
  }

  get condition(): Condition {
    const { pickable, probing } = this.#router.route;
    if (pickable.length > 0 || probing.length > 0) return { state: 'ready' };
    const reasons = new Set<string | null>();
    for (const { state, reason } of this.#members.used) {
      if (state === 'connecting') return { state: 'connecting' };
      if (reasons.size < 3) reasons.add(reason);
    }
    const { size } = this.#members;
    if (size === 0) return { state: 'empty' };
    const none = size === 1 ? 'the only endpoint is not ready' : `none of ${size} endpoints is ready`;
    const why = [...reasons].join('; ');
    return { state: 'unavailable', reason: `${none}: ${why}${remedyFor(why)}` };
  }

  get route() {
    return this.#router.route;
  }

  get crossShare() {
    return this.#router.crossShare;
  }

  get policies(): PolicySet {
    return this.#policies;
  }

  get random() {
    return this.environment.random;
  }

  connect(member: Member<C>, endpoint: Endpoint): Link<C> {
    return this.owner.connect(member, endpoint);
  }

  streamsOf(member: Member<C>): ReadonlySet<{ readonly reservedAt: number }> {
    return this.attempts.streams.of(member);
  }

  memberChanged(member: Member<C>): void {
    const { connected, wasConnected } = member;
    member.wasConnected = connected;
    if (wasConnected && !connected && !this.#anyConnected) this.#outage.begin();
    // Without a new connection, if it drained and is listed again.
    else if (connected && !wasConnected) this.#outage.end();
    if (this.#paused || this.#closed || this.#members.isDraining(member)) return;
    if (connected || wasConnected || this.#activate()) this.publish();
    // Calls could not reach it and cannot reach it now, so the route is unchanged; among thousands of endpoints,
    // recomputing it is expensive.
    else this.owner.changed(this);
  }

  memberConnected(member: Member<C>): void {
    this.#policies.ready(member);
    const ended = this.#outage.end();
    for (const other of this.#members.used) if (other !== member && other.connected) return;
    // After an outage, the first endpoint that connects should not carry all calls until the backoffs of the others
    // end.
    for (const other of this.#members.used) if (other !== member) other.link.dialNow();
    if (ended) this.#outageDials.goOn(() => [...this.#members.used].map(({ link }) => link));
  }

  get sinceOutage(): number {
    return this.#outage.past;
  }

  get #anyConnected(): boolean {
    for (const { connected } of this.#members.used) if (connected) return true;
    return false;
  }

  /**
   * Called when a call fails because no endpoint is ready.
   *
   * @param interval Milliseconds between the attempts to connect that this causes.
   */
  wanted(interval: number): void {
    if (!this.#outageDials.due || this.#closed || this.#anyConnected) return;
    this.#outageDials.dial(
      [...this.#members.used].map(({ link }) => link),
      interval,
    );
  }

  memberReported(member: Member<C>, report: LoadReport): void {
    this.#policies.report(member, report);
  }

  memberGone(member: Member<C>): void {
    if (!this.#members.remove(member)) return;
    this.#policies.forget(member);
    this.environment.emit({ type: 'endpoint_removed', address: member.key });
  }

  /** Calls that are picked and have not ended. */
  get inFlight(): number {
    return this.#members.all.reduce((sum, { running }) => sum + running, 0);
  }

  endpoints(): EndpointSnapshot[] {
    return this.#members.all.map((member) => member.snapshot());
  }

  standbys(): StandbyEndpoint[] {
    return this.#members.standbys;
  }

  priorities(): PrioritySnapshot[] {
    return this.#router.priorities();
  }

  /** @param call The call whose chances are of interest; without it, any call of a method without its own policy. */
  explain(call: CallInfo = UNKNOWN_CALL): EndpointChance[] {
    return chancesOf(this.route, this.#policies.for(call), this.crossShare, call);
  }

  /** Addresses that `drain` has taken out of use. */
  get drained(): readonly string[] {
    return this.#members.heldOut;
  }

  /** What the operator does to the endpoint at an address; returns false if no endpoint is in use there. */
  eject(address: string, durationMs: number, reason: string): boolean {
    const member = this.#members.at(address);
    member?.passiveHealth.setAside(durationMs, reason);
    return member !== undefined;
  }

  /** The same: no new calls; its connections close when the last one has ended. */
  drain(address: string): boolean {
    return this.#members.at(address) !== undefined && this.#holdOut(address, true);
  }

  /** Ends `eject` and `drain`; returns false if neither was in force. */
  restore(address: string): boolean {
    return this.#holdOut(address, false) || (this.#members.at(address)?.passiveHealth.takeBack() ?? false);
  }

  /** Replaces the connections of an endpoint; returns false if no endpoint is in use there. */
  recycle(address: string): boolean {
    const member = this.#members.at(address);
    member?.link.recycle();
    return member !== undefined;
  }

  #holdOut(address: string, out: boolean): boolean {
    if (!this.#members.holdOut(address, out)) return false;
    this.rearrange();
    return true;
  }

  /** Publishes one picker for many changes. */
  #change(change: () => void): void {
    this.#whilePaused(change);
    this.#tellPolicies();
    this.publish();
  }

  #settle(): void {
    this.#whilePaused(() => this.#members.settle());
    this.publish();
  }

  #whilePaused<T>(change: () => T): T {
    this.#paused = true;
    try {
      return change();
    } finally {
      this.#paused = false;
    }
  }

  /** Policies keep what they have learned when other options change. */
  #renewPolicies(): void {
    const { policy, methods } = this.environment.loadBalancing;
    if (policy === this.#policyOptions.policy && methods === this.#policyOptions.methods) return;
    this.#policyOptions = { policy, methods };
    this.#policies = this.createPolicies(this.environment);
    this.#tellPolicies();
  }

  /** Connects as many priorities as are needed; returns whether there are more than before. */
  #activate(): boolean {
    let more = false;
    while (this.#whilePaused(() => this.#members.activateIfNeeded())) {
      more = true;
      this.#tellPolicies();
    }
    return more;
  }

  #tellPolicies(): void {
    this.#policies.members([...this.#members.used]);
  }
}

function policiesOf(environment: BalancingEnvironment): PolicySet {
  const { loadBalancing, random, clock } = environment;
  return PolicySet.of(loadBalancing, random, clock, (update) => environment.weightsUpdated?.(update));
}
