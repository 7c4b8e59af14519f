import type { Clock } from '../../core/clock.js';
import type { LbEventListener } from '../../core/events.js';
import type { EffectiveLoadBalancing } from '../../core/options/load-balancing.js';
import type { Random } from '../../core/random.js';
import { type BalancerView, ClientContext } from '../context/client-context.js';
import { SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX } from '../experimental.js';

/** The channel option that hands the balancers of a delegated channel to those who shall be among them. */
export const DELEGATED_OPTION = `${SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.grpc_lb_delegated`;

/**
 * The balancers of this package within a channel that another library steers, as when an xDS control plane names
 * `grpc_lb` for its clusters: none, or one for each cluster, priority and locality that the library makes one for.
 */
export class DelegatedBalancers {
  #contexts: readonly ClientContext[] = [];

  constructor(
    private readonly name: string,
    private readonly target: string,
    private readonly onEvent: LbEventListener = () => {},
    private readonly clock?: Clock,
    private readonly random?: Random,
  ) {}

  /** For a new balancer. Its options are those that it was told by whoever steers the channel. */
  contextFor(loadBalancing: EffectiveLoadBalancing): ClientContext {
    const context = new ClientContext({
      name: this.name,
      targets: [this.target],
      loadBalancing,
      onEvent: (event) => {
        // The state of the client is that of the channel; one balancer knows a part.
        if (event.type !== 'client_state') this.onEvent(event);
      },
      clock: this.clock,
      random: this.random,
    });
    this.#contexts = [...this.#live, context];
    return context;
  }

  /** What is in force; null while no balancer of this package is in use. Where clusters differ, that of the first. */
  get loadBalancing(): EffectiveLoadBalancing | null {
    return this.#live[0]?.loadBalancing ?? null;
  }

  get views(): readonly BalancerView[] {
    return this.#live.map(({ balancer }) => balancer!);
  }

  /** A balancer that has been closed has taken leave of its context. */
  get #live(): readonly ClientContext[] {
    return this.#contexts.filter(({ balancer }) => balancer !== undefined);
  }

  /** grpc-js prints channel options as JSON when it traces. */
  toJSON(): string {
    return `balancers of client ${this.name}`;
  }
}
