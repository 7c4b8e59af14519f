import type { Endpoint } from '../endpoint.js';
import { chancesOf, type EndpointChance } from '../picking/chances.js';
import type { LoadReport } from '../policy/load-report.js';
import { PolicySet } from '../policy/policy-set.js';
import type { EndpointSnapshot, PrioritySnapshot } from '../snapshot.js';
import { Attempts } from './calls/attempts.js';
import type { PickerSource } from './calls/picker.js';
import type { BalancingEnvironment } from './environment.js';
import { PeerComparison } from './health/peer-comparison.js';
import type { Carrier, Link } from './members/link.js';
import type { Member, MemberOwner } from './members/member.js';
import { Members, type StandbyEndpoint } from './members/members.js';
import { Router } from './route/router.js';

/** What carries out the decisions: grpc-js's balancer, or a client of the simulator. */
export interface BalancingOwner<C extends Carrier> {
  /** Opens the way to a member that joins. */
  connect(member: Member<C>, endpoint: Endpoint): Link<C>;
  /** Something has changed: the next calls need another picker. */
  changed(balancing: Balancing<C>): void;
  /** A call has ended, so that a connection may have room again. */
  released(): void;
}

/** Whether calls can be sent. `empty`: there is no endpoint, and discovery knows why. */
export type Condition =
  | { readonly state: 'ready' }
  | { readonly state: 'connecting' }
  | { readonly state: 'unavailable'; readonly reason: string }
  | { readonly state: 'empty' };

/**
 * The decisions of one client's balancer: which endpoints are members, which of them may be picked and for which part of
 * the calls, and what the end of each call teaches. Production and the simulator run this.
 */
export class Balancing<C extends Carrier> implements MemberOwner<C>, PickerSource<C> {
  readonly peers: PeerComparison;
  readonly attempts: Attempts<C>;
  readonly #members: Members<C>;
  readonly #router: Router<Member<C>>;
  #policies: PolicySet;
  /** What the policies were made of. */
  #policyOptions: Pick<BalancingEnvironment['loadBalancing'], 'policy' | 'methods'>;
  #paused = false;
  #closed = false;

  constructor(
    readonly environment: BalancingEnvironment,
    private readonly owner: BalancingOwner<C>,
    /** Makes the policies anew when the options for them have changed. */
    private readonly createPolicies = policiesOf,
  ) {
    this.#policyOptions = environment.loadBalancing;
    this.#policies = createPolicies(environment);
    this.peers = new PeerComparison(environment.clock, () => environment.loadBalancing.ejection);
    this.#members = new Members(this, () => this.rearrange());
    this.#router = new Router(environment);
    this.attempts = new Attempts(environment, this.#router, (member, carrier) => {
      member.link.released(carrier);
      owner.released();
    });
  }

  /** A new list of discovery, all of it. */
  adopt(list: readonly Endpoint[]): void {
    this.#change(() => this.#members.adopt(list));
  }

  /** The options have changed. */
  reconfigure(): void {
    this.#renewPolicies();
    this.#change(() => {
      this.#members.rearrange();
      for (const { link, passiveHealth } of this.#members.used) {
        link.configure();
        if (!this.environment.loadBalancing.ejection.enabled) passiveHealth.endEjection();
      }
    });
  }

  /** Another part of the list is needed. */
  rearrange(): void {
    this.#change(() => this.#members.rearrange());
  }

  /** Works out the route, and has a picker made of it. */
  publish(): void {
    if (this.#closed) return;
    this.#renewPolicies();
    while (this.#whilePaused(() => this.#members.activateIfNeeded())) this.#tellPolicies();
    this.#router.update(this.#members.priorities);
    this.owner.changed(this);
  }

  close(): void {
    this.#closed = true;
    this.#members.close();
    this.attempts.close();
  }

  get size(): number {
    return this.#members.size;
  }

  get condition(): Condition {
    const { pickable, probing } = this.#router.route;
    if (pickable.length > 0 || probing.length > 0) return { state: 'ready' };
    const all = [...this.#members.used];
    if (all.some(({ state }) => state === 'connecting')) return { state: 'connecting' };
    if (all.length === 0) return { state: 'empty' };
    const reasons = [...new Set(all.map(({ reason }) => reason))].slice(0, 3).join('; ');
    const none = all.length === 1 ? 'the only endpoint is not ready' : `none of ${all.length} endpoints is ready`;
    return { state: 'unavailable', reason: `${none}: ${reasons}` };
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

  memberChanged(member: Member<C>): void {
    if (!this.#paused && !this.#members.isDraining(member)) this.publish();
  }

  memberConnected(member: Member<C>): void {
    this.#policies.ready(member);
    // The first after an outage: it need not bear all calls until the backoffs of the others are over.
    const others = [...this.#members.used].filter((each) => each !== member);
    if (!others.some(({ connected }) => connected)) for (const { link } of others) link.dialNow();
  }

  memberReported(member: Member<C>, report: LoadReport): void {
    this.#policies.report(member, report);
  }

  memberGone(member: Member<C>): void {
    if (!this.#members.remove(member)) return;
    this.#policies.forget(member);
    this.environment.emit({ type: 'endpoint_removed', address: member.key });
  }

  /** Calls picked and not ended. */
  get inFlight(): number {
    return this.#members.all.reduce((sum, { running }) => sum + running, 0);
  }

  /** @param epoch The time now, in milliseconds since the epoch. */
  endpoints(epoch: number): EndpointSnapshot[] {
    return this.#members.all.map((member) => member.snapshot(epoch));
  }

  standbys(): StandbyEndpoint[] {
    return this.#members.standbys;
  }

  priorities(): PrioritySnapshot[] {
    return this.#router.priorities();
  }

  explain(): EndpointChance[] {
    return chancesOf(this.route, this.#policies.common, this.crossShare);
  }

  /** One picker for many changes. */
  #change(change: () => void): void {
    this.#whilePaused(change);
    this.#tellPolicies();
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

  /** What policies have learned stays, whatever else is configured. */
  #renewPolicies(): void {
    const { policy, methods } = this.environment.loadBalancing;
    if (policy === this.#policyOptions.policy && methods === this.#policyOptions.methods) return;
    this.#policyOptions = { policy, methods };
    this.#policies = this.createPolicies(this.environment);
    this.#tellPolicies();
  }

  #tellPolicies(): void {
    this.#policies.members([...this.#members.used]);
  }
}

function policiesOf({ loadBalancing, random, clock }: BalancingEnvironment): PolicySet {
  return PolicySet.of(loadBalancing, random, clock);
}
