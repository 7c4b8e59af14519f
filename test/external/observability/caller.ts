import * as grpc from '@grpc/grpc-js';
import type { Registry } from 'prom-client';
import type { BalancedChannel, BalancedChannelOptions } from '../../../libs/grpc-lb/src/grpc/index.js';
import { observeMetrics } from '../../../libs/grpc-lb/src/telemetry/prometheus/index.js';
import { balanced, call } from '../../support/calls/call.js';

const METHODS = ['Say', 'Repeat', 'Join', 'Talk'].map((method) => ({
  service: 'echo.v1.Echo',
  method,
  responseStream: method === 'Repeat' || method === 'Talk',
  requestStream: method === 'Join' || method === 'Talk',
}));

export interface CallerOptions extends Partial<BalancedChannelOptions> {
  readonly name: string;
  readonly target: string | readonly string[];
  /** Calls that it starts in a second, whatever happens to earlier ones. */
  readonly rate: number;
}

/** A client with metrics that calls at a steady rate. */
export class Caller {
  readonly channel: BalancedChannel;
  readonly #client: grpc.Client;
  readonly #stopObserving: () => void;
  #load: NodeJS.Timeout | undefined;

  constructor(
    registry: Registry,
    private readonly options: CallerOptions,
  ) {
    const { target, rate: _, loadBalancing, ...more } = options;
    const health = { enabled: true };
    const made = balanced(target as string, { methods: METHODS, ...more, loadBalancing: { health, ...loadBalancing } });
    this.channel = made.channel;
    this.#client = made.client;
    this.#stopObserving = observeMetrics(made.channel, { registry });
    this.resume();
  }

  pause(): void {
    clearInterval(this.#load);
  }

  resume(): void {
    this.channel.getConnectivityState(true);
    const { rate } = this.options;
    if (rate > 0) this.#load = setInterval(() => void this.call(), 1000 / rate);
  }

  async call(): Promise<grpc.status> {
    const metadata = new grpc.Metadata();
    metadata.set('x-key', 'the same for every call');
    return (await call(this.#client, 'unary', { requests: [''], metadata, deadline: Date.now() + 30_000 })).code;
  }

  close(): void {
    this.pause();
    this.#stopObserving();
    this.channel.close();
  }
}
