import { connectivityState, type ChannelOptions, Metadata } from '@grpc/grpc-js';
import { addressToString, type Address, type Endpoint } from '../../../libs/grpc-lb/src/core/endpoint.js';
import type { LoadBalancingOptions } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { Balancer } from '../../../libs/grpc-lb/src/grpc/balancer/balancer.js';
import { type BalancerView, CONTEXT_OPTION } from '../../../libs/grpc-lb/src/grpc/context/client-context.js';
import {
  type ChannelControlHelper,
  type GrpcEndpoint,
  type Picker,
  statusOrFromValue,
  type SubchannelInterface,
} from '../../../libs/grpc-lb/src/grpc/experimental.js';
import { GRPC_LB, GrpcLbConfig } from '../../../libs/grpc-lb/src/grpc/config/lb-config.js';
import { FakeClock } from '../time/fake-clock.js';
import { RecordingContext } from '../discovery/fake-source.js';

type StateListener = Parameters<SubchannelInterface['addConnectivityStateListener']>[0];

/** A subchannel without a socket, whose state is set by the test. */
export class FakeSubchannel {
  state = connectivityState.IDLE;
  attempts = 0;
  closed = false;
  readonly #listeners = new Set<StateListener>();

  constructor(readonly address: Address) {}

  get key(): string {
    return addressToString(this.address);
  }

  become(state: connectivityState, error?: string): void {
    const previous = this.state;
    this.state = state;
    for (const listener of this.#listeners) listener(this as unknown as SubchannelInterface, previous, state, 0, error);
  }

  startConnecting(): void {
    this.attempts++;
    if (this.state !== connectivityState.CONNECTING) this.become(connectivityState.CONNECTING);
  }

  addConnectivityStateListener(listener: StateListener): void {
    this.#listeners.add(listener);
  }

  removeConnectivityStateListener(listener: StateListener): void {
    this.#listeners.delete(listener);
  }

  getConnectivityState(): connectivityState {
    return this.state;
  }

  getChannelzRef(): object {
    return {};
  }

  getRealSubchannel(): object {
    return { resetBackoff: () => this.startConnecting(), createCall: () => ({}) };
  }

  ref(): void {}

  unref(): void {
    this.closed = true;
  }
}

/** A balancer on a virtual clock, over subchannels without sockets. */
export class FakeChannel {
  readonly clock = new FakeClock();
  readonly context: RecordingContext;
  readonly balancer: Balancer;
  readonly subchannels: FakeSubchannel[] = [];
  state = connectivityState.IDLE;
  picker: Picker | undefined;

  constructor(loadBalancing: LoadBalancingOptions = {}) {
    // A health watch is a call, which needs a socket.
    const health = { ...loadBalancing.health, enabled: false };
    this.context = new RecordingContext(['static:///a:1'], this.clock, { ...loadBalancing, health });
    const helper = {
      createSubchannel: (address: Address) => {
        const subchannel = new FakeSubchannel(address);
        this.subchannels.push(subchannel);
        return subchannel;
      },
      updateState: (state: connectivityState, picker: Picker) => {
        this.state = state;
        this.picker = picker;
      },
      requestReresolution: () => {},
      addChannelzChild: () => {},
      removeChannelzChild: () => {},
    };
    this.balancer = new Balancer(GRPC_LB, helper as unknown as ChannelControlHelper);
  }

  /** The window into the balancer, until it is destroyed. */
  get view(): BalancerView {
    return this.context.balancer!;
  }

  /** A list from discovery. */
  async name(list: readonly Endpoint[]): Promise<void> {
    const endpoints = list.map((endpoint): GrpcEndpoint => ({ ...endpoint, addresses: [endpoint.address] }));
    const options: ChannelOptions = { [CONTEXT_OPTION]: this.context };
    this.balancer.updateAddressList(statusOrFromValue(endpoints), GrpcLbConfig.createFromJson({}), options, '');
    await turn();
  }

  /** Those that are wanted now, by address. */
  get open(): FakeSubchannel[] {
    return this.subchannels.filter(({ closed }) => !closed);
  }

  /** Sets the state of the connections, or attempts to connect, to these. */
  async become(state: connectivityState, ...keys: string[]): Promise<void> {
    for (const subchannel of this.open.filter(({ key }) => keys.includes(key))) subchannel.become(state, 'refused');
    await turn();
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turn();
  }

  /** Those that a balancer uses, in its order. */
  get used(): string[] {
    return this.view.endpoints().flatMap(({ address, state }) => (state === 'draining' ? [] : address));
  }

  get shares(): Record<number, number> {
    return Object.fromEntries(this.view.priorities().map(({ priority, share }) => [priority, share]));
  }

  /** A call that has begun. */
  pick(): { readonly key: string; end(status?: number, details?: string, trailers?: Metadata): void } {
    const result = this.picker!.pick({ metadata: undefined as never, extraPickInfo: {} });
    result.onCallStarted?.();
    const { key } = result.subchannel as unknown as FakeSubchannel;
    return {
      key,
      end: (status = 0, details = '', trailers = new Metadata()) => result.onCallEnded?.(status, details, trailers),
    };
  }
}

/** What comes in microtasks, as a connection's being ready and the opening of others. */
async function turn(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
