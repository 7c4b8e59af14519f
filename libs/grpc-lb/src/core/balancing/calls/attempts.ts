import { Refusals } from '../../load/refusals.js';
import type { BalancingEnvironment } from '../environment.js';
import { Ledger, type OnRelease } from './ledger.js';
import type { Carrier } from '../members/link.js';
import type { Member } from '../members/member.js';
import type { Router } from '../route/router.js';

/** All attempts of a client's calls: which endpoints carry them, and where a call failed before. */
export class Attempts<C extends Carrier> extends Ledger<Member<C>, C> {
  readonly refusals: Refusals<Member<C>>;
  /** By the object that stands for a call, and goes with it. */
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

  /** Whether a stall of this process explains how long a call has taken that was made then, and ends now. */
  wasStalled(since: number): boolean {
    return this.environment.ownStall.explains(since);
  }

  /** The endpoint on which the attempt of this call before has failed. */
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
