import { LastingStreams } from '../../streams/lasting-streams.js';
import { Lingering } from '../../load/lingering.js';
import { Refusals } from '../../load/refusals.js';
import type { BalancingEnvironment } from '../environment.js';
import { Ledger, type OnRelease, type Reservation } from './ledger.js';
import type { Carrier } from '../members/link.js';
import type { Homes } from './homes.js';
import type { Member } from '../members/member.js';
import type { Router } from '../route/router.js';

/** All attempts of a client's calls, by the endpoints that carry them. */
export class Attempts<C extends Carrier> extends Ledger<Member<C>, C> {
  readonly refusals: Refusals<Member<C>>;
  /** Cancelled attempts that their servers may still work on. */
  readonly superseded: Lingering<Member<C>>;
  readonly streams: LastingStreams<Member<C>, Reservation<Member<C>, C>>;

  constructor(
    private readonly environment: Pick<BalancingEnvironment, 'clock' | 'ownStall'>,
    private readonly router: Pick<Router<Member<C>>, 'spillover'>,
    onRelease: OnRelease<Member<C>, C>,
    readonly homes: Pick<Homes<C>, 'of'>,
  ) {
    super(environment.clock, onRelease);
    this.refusals = new Refusals(environment.clock);
    this.superseded = new Lingering(environment.clock);
    this.streams = new LastingStreams(environment.clock);
  }

  get spillover() {
    return this.router.spillover;
  }

  /** Whether a stall of this process explains the duration of a call that was picked at `since` and ends now. */
  wasStalled(since: number, now: number): boolean {
    return this.environment.ownStall.explains(since, now);
  }

  override close(): void {
    super.close();
    this.refusals.close();
    this.superseded.close();
    this.streams.close();
  }
}
