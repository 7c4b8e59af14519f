import type { ChannelOptions } from '@grpc/grpc-js';
import { LbConfig } from '../config/lb-config.js';
import { ClientContext, CONTEXT_OPTION } from '../context/client-context.js';
import type {
  ChannelControlHelper,
  GrpcEndpoint,
  LoadBalancer,
  StatusOr,
  TypedLoadBalancingConfig,
} from '../experimental.js';
import { DELEGATED_OPTION, type DelegatedBalancers } from '../channel/delegated-balancers.js';
import { ClientBalancer } from './client-balancer.js';

/** grpc-js's balancer of one channel. It creates its parts on the first update, which carries the channel's options. */
export class Balancer implements LoadBalancer {
  #client: ClientBalancer | undefined;

  constructor(
    private readonly typeName: string,
    private readonly helper: ChannelControlHelper,
  ) {}

  getTypeName(): string {
    return this.typeName;
  }

  updateAddressList(
    endpoints: StatusOr<GrpcEndpoint[]>,
    config: TypedLoadBalancingConfig,
    channelOptions: ChannelOptions,
    resolutionNote: string,
  ): boolean {
    if (!(config instanceof LbConfig)) return false;
    this.#client ??= new ClientBalancer(this.#contextFor(config, channelOptions), this.helper, channelOptions);
    if (!this.#client.configure(config, channelOptions)) return true;
    return this.#client.update(endpoints, resolutionNote);
  }

  exitIdle(): void {
    // No endpoint is ever idle, but a call may find that none is connected.
    this.#client?.wanted();
  }

  resetBackoff(): void {
    // Each subchannel has its own backoff, and grpc-js offers no way to reset it from here.
  }

  destroy(): void {
    this.#client?.close();
  }

  /** The context of the channel; a new one for a channel that was built without this package. */
  #contextFor({ loadBalancing }: LbConfig, channelOptions: ChannelOptions): ClientContext {
    const shared = channelOptions[CONTEXT_OPTION] as ClientContext | undefined;
    const delegated = channelOptions[DELEGATED_OPTION] as DelegatedBalancers | undefined;
    return (
      shared ??
      delegated?.contextFor(loadBalancing) ??
      new ClientContext({ name: this.typeName, targets: [''], loadBalancing })
    );
  }
}
