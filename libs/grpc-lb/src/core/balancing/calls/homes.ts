import { Choice, type CrossShare } from '../../picking/choice.js';
import type { CallInfo, Policy } from '../../policy/policy.js';
import type { PolicySet } from '../../policy/policy-set.js';
import type { Random } from '../../random.js';
import type { Carrier } from '../members/link.js';
import type { Member } from '../members/member.js';
import type { Route } from '../route/route.js';

/** Where calls go at present. */
export interface HomeSource<C extends Carrier> {
  readonly route: Route<Member<C>>;
  readonly policies: PolicySet;
  readonly random: Random;
  readonly crossShare: CrossShare<Member<C>>;
}

/** Finds the endpoints to which keys belong now, as a pick would, without picking. */
export class Homes<C extends Carrier> {
  #route: Route<Member<C>> | undefined;
  readonly #choices = new Map<Policy, Choice<Member<C>>>();

  constructor(private readonly source: HomeSource<C>) {}

  /** Undefined if no key decides where the call goes, or the policies have been replaced since its pick. */
  of(policy: Policy, call: CallInfo, at: Member<C>): Member<C> | undefined {
    const { policies, route } = this.source;
    if (!policy.home || !policies.all.includes(policy)) return undefined;
    if (route !== this.#route) {
      this.#route = route;
      this.#choices.clear();
    }
    let choice = this.#choices.get(policy);
    if (!choice) {
      choice = new Choice(route, policy, this.source.random, this.source.crossShare);
      this.#choices.set(policy, choice);
    }
    return choice.home(call, at);
  }
}
