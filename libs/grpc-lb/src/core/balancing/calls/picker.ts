import { Choice, type CrossShare } from '../../picking/choice.js';
import type { CallInfo, Policy } from '../../policy/policy.js';
import type { PolicySet } from '../../policy/policy-set.js';
import type { Random } from '../../random.js';
import type { Carrier } from '../members/link.js';
import type { Member } from '../members/member.js';
import type { Route } from '../route/route.js';
import type { Attempts } from './attempts.js';

/** The inputs of a picker. */
export interface PickerSource<C extends Carrier> {
  readonly route: Route<Member<C>>;
  readonly policies: PolicySet;
  readonly attempts: Attempts<C>;
  readonly random: Random;
  readonly crossShare: CrossShare<Member<C>>;
}

/** Creates the attempt for a pick. */
export type Open<C extends Carrier, A> = (member: Member<C>, carrier: C, token: object, policy: Policy) => A;

/**
 * Picks from frozen lists of endpoints with live counters. An attempt is reserved synchronously, so that each of a
 * hundred calls in one tick sees the ones before it.
 */
export class Picker<C extends Carrier, A extends object> {
  readonly #choices: ReadonlyMap<Policy, Choice<Member<C>>>;
  readonly #route: Route<Member<C>>;
  readonly #attempts: Attempts<C>;

  constructor(
    { route, policies, attempts, random, crossShare }: PickerSource<C>,
    private readonly open: Open<C, A>,
  ) {
    this.#route = route;
    this.#attempts = attempts;
    this.#choices = new Map(policies.all.map((policy) => [policy, new Choice(route, policy, random, crossShare)]));
  }

  /** All endpoints that may be picked. */
  get pickable(): readonly Member<C>[] {
    return this.#route.pickable;
  }

  /**
   * Returns an attempt on a connection with room, else on another endpoint with room; `full` if there is none, which
   * the caller may already know (`isFull`); undefined if the only candidate is being probed.
   */
  pick(token: object, call: CallInfo, policy: Policy, isFull: boolean): A | 'full' | undefined {
    const choice = this.#choices.get(policy)!;
    const failedOn = this.#attempts.failedOn(token);
    const probe = choice.probe(failedOn, call);
    const probed = probe?.link.withRoom();
    if (probe && probed) {
      const attempt = this.open(probe, probed, token, policy);
      probe.passiveHealth.beginProbe(attempt);
      return attempt;
    }
    const member = choice.pick(call, failedOn);
    if (!member) return undefined;
    const carrier = member.link.withRoom();
    if (carrier) return this.open(member, carrier, token, policy);
    const other = isFull ? undefined : this.#elsewhere(choice, member, call);
    return other ? this.open(other, other.link.withRoom()!, token, policy) : 'full';
  }

  /** Another endpoint with room, preferably in the same priority and zone as the full one. */
  #elsewhere(choice: Choice<Member<C>>, full: Member<C>, call: CallInfo): Member<C> | undefined {
    const withRoom = this.#route.pickable.filter(({ link }) => link.hasRoom);
    if (withRoom.length === 0) return undefined;
    const beside = withRoom.filter(
      ({ priority, inLocalZone }) => priority === full.priority && inLocalZone === full.inLocalZone,
    );
    return choice.among(beside.length > 0 ? beside : withRoom, call);
  }
}
