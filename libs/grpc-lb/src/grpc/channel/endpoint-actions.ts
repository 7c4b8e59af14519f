import { EJECTED_BY_HAND } from '../../core/balancing/health/passive-health.js';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { didYouMean, shown } from '../../core/options/validation.js';
import type { BalancerView } from '../context/client-context.js';

/** A day: an ejection that should last longer is a change of discovery. */
const LONGEST_EJECTION_MS = 86_400_000;

/** What an operator may do to single endpoints of a client while it runs. No action loses a call. */
export class EndpointActions {
  /** @internal Channels create it. */
  constructor(
    private readonly client: string,
    /** The balancers of the client: one, or those of a delegated channel. */
    private readonly views: () => readonly BalancerView[],
  ) {}

  /**
   * Gives an endpoint no calls for a time; its calls in flight continue, and so do its connections. Panic overrides it,
   * as it overrides every ejection.
   *
   * @param durationMs Milliseconds, 1 to 86400000.
   * @throws GrpcLbArgumentError if no endpoint is in use at the address, or the duration is out of range.
   */
  eject(address: string, durationMs: number): void {
    if (!(durationMs >= 1 && durationMs <= LONGEST_EJECTION_MS))
      throw this.#invalid(`durationMs is ${shown(durationMs)}; use 1 to ${LONGEST_EJECTION_MS} (milliseconds)`);
    const reason = `${EJECTED_BY_HAND} for ${Math.round(durationMs / 100) / 10} s`;
    this.#act(address, (view) => view.eject(address, durationMs, reason));
  }

  /**
   * Takes an endpoint out of use: no new calls, and its connections close when the last call has ended. It stays out
   * until `restore`, or until discovery no longer lists it.
   *
   * @throws GrpcLbArgumentError if no endpoint is in use at the address, or if it is the last one.
   */
  drain(address: string): void {
    this.#act(address, (view) => {
      const used = view.endpoints().filter(({ state }) => state !== 'draining');
      if (used.length === 1 && used[0]!.address === address)
        throw this.#invalid(`${shown(address)} is the last endpoint in use; restore another one before you drain it`);
      return view.drain(address);
    });
  }

  /**
   * Ends `eject` and `drain`.
   *
   * @throws GrpcLbArgumentError if neither is in force at the address.
   */
  restore(address: string): void {
    if (this.views().filter((view) => view.restore(address)).length === 0)
      throw this.#invalid(`${shown(address)} is neither ejected nor drained by hand; there is nothing to restore`);
  }

  /**
   * Replaces the connections of an endpoint. Each old connection takes calls until its replacement is ready, and closes
   * when its calls have ended.
   *
   * @throws GrpcLbArgumentError if no endpoint is in use at the address.
   */
  recycle(address: string): void {
    this.#act(address, (view) => view.recycle(address));
  }

  #act(address: string, act: (view: BalancerView) => boolean): void {
    if (this.views().filter(act).length > 0) return;
    const known = this.views().flatMap((view) => view.endpoints().map((each) => each.address));
    const some = known.slice(0, 5).join(', ') + (known.length > 5 ? ', ...' : '');
    throw this.#invalid(
      `no endpoint is in use at ${shown(address)}${didYouMean(address, known.slice(0, 100))}; those in use are ${some || 'none'}`,
    );
  }

  #invalid(what: string): GrpcLbArgumentError {
    return new GrpcLbArgumentError(`client ${this.client}: ${what}`);
  }
}

/** The field `drained` of a snapshot, absent if there are none. */
export function drainedOf(views: readonly BalancerView[]): { readonly drained?: readonly string[] } {
  const drained = views.flatMap((view) => view.drained);
  return drained.length > 0 ? { drained } : {};
}
