import { Choice } from '../../picking/choice.js';
import type { CallInfo, Policy } from '../../policy/policy.js';
import type { Carrier } from '../members/link.js';
import type { Member } from '../members/member.js';
import type { Route } from '../route/route.js';
import type { Attempt } from './attempt.js';
import type { Attempts } from './attempts.js';
import type { HomeSource } from './homes.js';
import { hasVisitedEnough, NO_VISITS, repeat, type Visits } from './visits.js';

/** The inputs of a picker. */
export interface PickerSource<C extends Carrier> extends HomeSource<C> {
  readonly attempts: { readonly streams: Pick<Attempts<C>['streams'], 'expects'> };
}

/** Creates the attempt for a pick. */
export type Open<C extends Carrier, A, T> = (member: Member<C>, carrier: C, call: T, policy: Policy) => A;

/**
 * Why a pick has no endpoint. `full`: all connections are at their stream limit, for every call. `wait`: the endpoint is
 * being probed, or is about to have a new connection. `none`: the call has tried all endpoints.
 */
export type NoPick = 'full' | 'wait' | 'none';

/**
 * Picks from frozen lists of endpoints with live counters. An attempt is reserved synchronously, so that each of a
 * hundred calls in one tick sees the ones before it.
 */
export class Picker<C extends Carrier, A extends Attempt<C>, T> {
  readonly #choices: ReadonlyMap<Policy, Choice<Member<C>>>;
  readonly #route: Route<Member<C>>;
  readonly #streams: PickerSource<C>['attempts']['streams'];

  constructor(
    { route, policies, random, crossShare, attempts }: PickerSource<C>,
    private readonly open: Open<C, A, T>,
  ) {
    this.#route = route;
    this.#streams = attempts.streams;
    this.#choices = new Map(policies.all.map((policy) => [policy, new Choice(route, policy, random, crossShare)]));
  }

  /** All endpoints that may be picked. */
  get pickable(): readonly Member<C>[] {
    return this.#route.pickable;
  }

  /**
   * Returns an attempt on a connection with room, else on another endpoint with room.
   *
   * @param token Passed to `open`.
   * @param isFull Whether the caller knows already that all connections are full.
   * @param visits Where the call has been.
   */
  pick(token: T, call: CallInfo, policy: Policy, isFull: boolean, visits: Visits<C> = NO_VISITS): A | NoPick {
    if (!call.stream) return this.#pick(token, call, policy, isFull, visits, false);
    const lasts = this.#streams.expects(call);
    const picked = visits.to
      ? this.#pickAt(visits.to, token, policy, visits)
      : this.#pick(token, call, policy, isFull, visits, lasts);
    // At once, since the next pick may follow before it is sent.
    if (lasts && typeof picked !== 'string') picked.countAsStream();
    return picked;
  }

  #pick(token: T, call: CallInfo, policy: Policy, isFull: boolean, visits: Visits<C>, lasts: boolean): A | NoPick {
    if (hasVisitedEnough(visits)) return this.#again(token, policy, visits);
    const choice = this.#choices.get(policy)!;
    const tried = visits.leaving ? [...visits.tried, visits.leaving] : visits.tried;
    const probe = choice.probe(tried, call);
    const probed = probe?.link.withRoom();
    if (probe && probed) {
      const attempt = this.open(probe, probed, token, policy);
      probe.passiveHealth.beginProbe(attempt);
      return attempt;
    }
    const member = choice.pick(call, tried, lasts);
    if (!member) return 'wait';
    if (visits.only !== undefined && visits.tried.includes(member)) return this.#again(token, policy, visits);
    const carrier = member.link.withRoom();
    if (carrier) return this.open(member, carrier, token, policy);
    const other = isFull ? undefined : this.#elsewhere(choice, member, call, tried, lasts);
    if (!other) return 'full';
    if (visits.only !== undefined && visits.tried.includes(other)) return 'wait';
    return this.open(other, other.link.withRoom()!, token, policy);
  }

  /** Only there, if it may be picked and has room. */
  #pickAt(member: Member<C>, token: T, policy: Policy, { only, tried }: Visits<C>): A | NoPick {
    if (only === 'untried' && tried.includes(member)) return 'none';
    const carrier = this.#route.pickable.includes(member) ? member.link.withRoom() : undefined;
    return carrier ? this.open(member, carrier, token, policy) : 'none';
  }

  /** All endpoints have been tried, or enough. */
  #again(token: T, policy: Policy, visits: Visits<C>): A | NoPick {
    if (visits.only === 'untried') return 'none';
    const next = repeat(visits, this.#route.pickable);
    if (next === 'wait' || next === 'none') return next;
    return this.open(next.endpoint, next.connection, token, policy);
  }

  /** Another endpoint with room, preferably in the same priority and zone as the full one, and not tried. */
  #elsewhere(
    choice: Choice<Member<C>>,
    full: Member<C>,
    call: CallInfo,
    tried: readonly Member<C>[],
    lasts: boolean,
  ): Member<C> | undefined {
    const withRoom = this.#route.pickable.filter(({ link }) => link.hasRoom);
    if (withRoom.length === 0) return undefined;
    const untried = withRoom.filter((member) => !tried.includes(member));
    const from = untried.length > 0 ? untried : withRoom;
    const beside = from.filter(
      ({ priority, inLocalZone }) => priority === full.priority && inLocalZone === full.inLocalZone,
    );
    return choice.among(beside.length > 0 ? beside : from, call, lasts);
  }
}
