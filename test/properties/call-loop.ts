import type { CallInfo, Outcome, Policy } from '../../libs/grpc-lb/src/core/policy/policy.js';
import { type Random, seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import type { FakeClock } from '../support/time/fake-clock.js';
import type { Host } from './hosts.js';

/** How a backend answers one call. */
export type Answer = (host: Host, index: number, call: CallInfo) => Partial<Outcome> & { readonly latency: number };

/** Sends calls at random intervals to the endpoints that a policy picks, on a fake clock. */
export class CallLoop {
  /** How often each endpoint was picked since the last `run` began. */
  readonly picks: number[];
  readonly #random: Random = seededRandom(99);

  constructor(
    private readonly policy: Policy,
    readonly hosts: readonly Host[],
    private readonly clock: FakeClock,
    public answer: Answer,
    /** Calls a second, at random intervals. */
    private readonly rate: number,
    private readonly callOf: (random: Random) => CallInfo = () => CALL,
  ) {
    this.picks = hosts.map(() => 0);
  }

  /** The share of each endpoint in the calls of the next `ms`. */
  run(ms: number): number[] {
    this.picks.fill(0);
    const end = this.clock.now() + ms;
    for (;;) {
      const gap = (-Math.log(1 - this.#random()) / this.rate) * 1000;
      if (this.clock.now() + gap > end) break;
      this.clock.advance(gap);
      this.#call();
    }
    this.clock.advance(end - this.clock.now());
    const total = this.picks.reduce((sum, count) => sum + count, 0);
    return this.picks.map((count) => count / total);
  }

  #call(): void {
    const call = this.callOf(this.#random);
    const index = this.policy.pick(this.hosts, call);
    const host = this.hosts[index]!;
    const answer = this.answer(host, index, call);
    this.picks[index]!++;
    host.inFlight++;
    this.clock.after(answer.latency, () => {
      host.inFlight--;
      this.policy.learn?.(host, call, { failed: false, cutShort: false, ...answer });
    });
  }
}

export const CALL: CallInfo = { method: '/orders.v1.Orders/Find', stream: false };
