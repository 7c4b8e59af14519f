import type { Clock } from '../core/clock.js';
import type { LbEvent, LbEventListener } from '../core/events.js';
import type { EffectiveLoadBalancing } from '../core/options/load-balancing.js';
import type { Random } from '../core/random.js';
import type { ClientState, EndpointSnapshot, SourceSnapshot } from '../core/snapshot.js';
import { SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX } from './experimental.js';
import { systemClock } from './system-clock.js';

/** The channel option that hands the context to the resolver and the balancer. grpc-js does not compare it. */
export const CONTEXT_OPTION = `${SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.grpc_lb_context`;

/** What the balancer of a client answers for. */
export interface BalancerView {
  readonly inFlight: number;
  readonly pending: number;
  endpoints(): EndpointSnapshot[];
  explain(): readonly (readonly [address: string, chance: number])[];
  /** New load-balancing options are in force. */
  reconfigure(): void;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type EventBody = DistributiveOmit<LbEvent, 'client' | 'time'>;

/**
 * What the parts of one client share. grpc-js builds the resolver and the balancer itself, possibly more than once
 * (a channel that goes idle drops both), so what must outlive them is here.
 */
export class ClientContext {
  state: ClientState = 'idle';
  source: SourceSnapshot;
  balancer: BalancerView | undefined;
  /** Set by the resolver while it runs: asks discovery again. */
  refreshDiscovery: () => void = () => {};

  constructor(
    readonly name: string,
    readonly target: string,
    public loadBalancing: EffectiveLoadBalancing,
    private readonly onEvent: LbEventListener = () => {},
    readonly clock: Clock = systemClock,
    readonly random: Random = Math.random,
  ) {
    this.source = { kind: '', state: 'pending', lastUpdate: null, staleForMs: null, error: null };
  }

  emit(event: EventBody): void {
    this.onEvent({ ...event, client: this.name, time: Date.now() });
  }

  setState(to: ClientState): void {
    const from = this.state;
    if (from === to || from === 'shutdown') return;
    this.state = to;
    this.emit({ type: 'client_state', from, to });
  }

  /** grpc-js prints channel options as JSON when it traces; a context is live and full of cycles. */
  toJSON(): string {
    return `client ${this.name}`;
  }
}
