import type { Clock } from '../../core/clock.js';
import type { LbEventListener } from '../../core/events.js';
import type { EffectiveLoadBalancing } from '../../core/options/load-balancing.js';
import type { Random } from '../../core/random.js';
import { Totals } from '../../core/totals.js';
import { type BalancerView, ClientContext } from '../context/client-context.js';
import { SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX } from '../experimental.js';

/** The channel option through which the balancers of a delegated channel register. */
export const DELEGATED_OPTION = `${SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.grpc_lb_delegated`;

/**
 * The balancers of this package in a channel of another library, for example if an xDS control plane names `grpc_lb`
 * for its clusters: none, or one per cluster, priority and locality, as the library creates them.
 */
export class DelegatedBalancers {
  /** Of all balancers, including those that are closed. */
  readonly totals = new Totals();
  #contexts: readonly ClientContext[] = [];

  constructor(
    private readonly name: string,
    private readonly target: string,
    private readonly onEvent: LbEventListener = () => {},
    private readonly clock?: Clock,
    private readonly random?: Random,
  ) {}

  /** Creates the context of a new balancer with the options that the library passed to it. */
  contextFor(loadBalancing: EffectiveLoadBalancing): ClientContext {
    const context = new ClientContext({
      name: this.name,
      targets: [this.target],
      loadBalancing,
      onEvent: (event) => {
        // The client's state is that of the channel; one balancer sees only a part of it.
        if (event.type !== 'client_state') this.onEvent(event);
      },
      clock: this.clock,
      random: this.random,
      totals: this.totals,
    });
    this.#contexts = [...this.#live, context];
    return context;
  }

  /** The options in force; null while no balancer of this package is in use. If clusters differ, those of the first. */
  get loadBalancing(): EffectiveLoadBalancing | null {
    return this.#live[0]?.loadBalancing ?? null;
  }

  get views(): readonly BalancerView[] {
    return this.#live.map(({ balancer }) => balancer!);
  }

  /** A closed balancer has removed itself from its context. */
  get #live(): readonly ClientContext[] {
    return this.#contexts.filter(({ balancer }) => balancer !== undefined);
  }

  /** grpc-js prints channel options as JSON in traces. */
  toJSON(): string {
    return `balancers of client ${this.name}`;
  }
}
