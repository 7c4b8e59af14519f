import { Refusals } from '../../load/refusals.js';
import type { BalancingEnvironment } from '../environment.js';
import { Ledger, type OnRelease } from './ledger.js';
import type { Carrier } from '../members/link.js';
import type { Member } from '../members/member.js';
import type { Router } from '../route/router.js';

/** All attempts of a client's calls: which endpoints carry them, and where an earlier attempt of a call failed. */
export class Attempts<C extends Carrier> extends Ledger<Member<C>, C> {
  readonly refusals: Refusals<Member<C>>;
  /** Keyed by the object that identifies a call; an entry is collected with that object. */
  readonly #failedOn = new WeakMap<object, Member<C>>();

  constructor(
    private readonly environment: Pick<BalancingEnvironment, 'clock' | 'ownStall'>,
    private readonly router: Pick<Router<Member<C>>, 'spillover'>,
    onRelease: OnRelease<Member<C>, C>,
  ) {
    super(environment.clock, onRelease);
    this.refusals = new Refusals(environment.clock);
  }

  get spillover() {
    return this.router.spillover;
  }

  /** Whether a stall of this process explains the duration of a call that was picked at `since` and ends now. */
  wasStalled(since: number, now: number): boolean {
    return this.environment.ownStall.explains(since, now);
  }

  /** The endpoint on which the previous attempt of this call failed. */
  failedOn(call: object): Member<C> | undefined {
    return this.#failedOn.get(call);
  }

  rememberFailure(call: object, member: Member<C>): void {
    this.#failedOn.set(call, member);
  }

  override close(): void {
    super.close();
    this.refusals.close();
  }
}
