import * as grpc from '@grpc/grpc-js';
import type { Endpoint } from '../../../libs/grpc-lb/src/core/endpoint.js';
import type { EndpointListener, EndpointSource } from '../../../libs/grpc-lb/src/core/endpoint-source.js';
import type { LbEvent } from '../../../libs/grpc-lb/src/core/events.js';
import type { ClientSnapshot } from '../../../libs/grpc-lb/src/core/snapshot.js';
import { registerEndpointSource } from '../../../libs/grpc-lb/src/discovery/index.js';
import {
  BalancedChannel,
  type BalancedChannelOptions,
} from '../../../libs/grpc-lb/src/grpc/channel/balanced-channel.js';
import { closeWithTest } from '../run/close-with-test.js';
import { Echo, type Line, Mirror } from './cluster.js';
import { patiently } from '../time/patience.js';

type EchoStub = grpc.Client & {
  Say(
    line: Partial<Line>,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: grpc.requestCallback<Line>,
  ): grpc.ClientUnaryCall;
  Repeat(line: Partial<Line>): grpc.ClientReadableStream<Line>;
  Talk(): grpc.ClientDuplexStream<Partial<Line>, Line>;
};

export interface SayOptions extends grpc.CallOptions {
  readonly waitForReady?: boolean;
  /** Sees the call before it ends. */
  readonly onCall?: (call: grpc.ClientUnaryCall) => void;
}

/** A bare grpc-js client over a balanced channel, without Nest, that remembers its events. It closes with the test. */
export class BalancedClient {
  readonly events: LbEvent[] = [];
  readonly balanced: BalancedChannel;
  readonly echo: EchoStub;
  readonly #watchers = new Set<() => void>();

  constructor(options: Partial<BalancedChannelOptions> & Pick<BalancedChannelOptions, 'target'>) {
    const credentials = grpc.credentials.createInsecure();
    this.balanced = new BalancedChannel({
      name: 'ECHO',
      ...(!options.tls && { credentials }),
      ...options,
      onEvent: (event) => {
        this.events.push(event);
        for (const watcher of this.#watchers) watcher();
      },
    });
    const override = { channelOverride: this.balanced.channel };
    this.echo = new Echo('override', credentials, override) as unknown as EchoStub;
    this.mirror = new Mirror('override', credentials, override);
    closeWithTest(() => this.close());
  }

  readonly mirror: grpc.Client;

  get snapshot(): ClientSnapshot {
    return this.balanced.snapshot();
  }

  /** Where each endpoint stands, `{ '127.0.0.1:1': 'ready' }`. */
  get states(): Record<string, string> {
    return Object.fromEntries(this.snapshot.endpoints.map(({ address, state }) => [address, state]));
  }

  say(text = 'hello', { waitForReady = false, onCall, ...options }: SayOptions = {}): Promise<Line> {
    return new Promise((resolve, reject) => {
      const metadata = new grpc.Metadata({ waitForReady });
      const call = this.echo.Say({ text }, metadata, options, (error, line) =>
        error ? reject(error) : resolve(line!),
      );
      onCall?.(call);
    });
  }

  /** Opens a stream, and waits until its server has answered. */
  async openStream(): Promise<{ stream: grpc.ClientReadableStream<Line>; server: string }> {
    const stream = this.echo.Repeat({ text: 'stream', times: 0 });
    const first = await new Promise<Line>((resolve, reject) => stream.once('data', resolve).once('error', reject));
    stream.on('data', () => {});
    return { stream, server: first.server };
  }

  /** Resolves as soon as the condition holds; it is looked at after each event. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    const holds = new Promise<void>((resolve) => {
      const watcher = (): void => {
        // An event is emitted before all its effects are done.
        setImmediate(() => {
          if (!this.#watchers.has(watcher) || !condition()) return;
          this.#watchers.delete(watcher);
          resolve();
        });
      };
      this.#watchers.add(watcher);
    });
    await patiently(holds, () => ({ endpoints: this.snapshot.endpoints, last: this.events.slice(-5) }));
  }

  /** Connects, and waits until that many endpoints are ready. */
  async ready(count: number): Promise<this> {
    this.balanced.connect();
    await this.until(() => this.snapshot.endpoints.filter(({ state }) => state === 'ready').length === count);
    return this;
  }

  close(): void {
    this.balanced.close();
  }
}

/** Cancels a stream, and waits until it has ended. */
export async function cancelled(stream: grpc.ClientReadableStream<Line>): Promise<void> {
  const ended = new Promise((resolve) => stream.once('error', resolve));
  stream.cancel();
  await ended;
}

/** A server of 127.0.0.1. */
interface Listening {
  readonly port: number;
}

let schemes = 0;

/** A target whose endpoints a test names as it goes. */
export class ManualDiscovery {
  readonly target: string;
  refreshes = 0;
  running = 0;
  #listener: EndpointListener | undefined;
  #endpoints: readonly Endpoint[] = [];

  constructor(servers: readonly Listening[] = []) {
    const scheme = `manual${++schemes}`;
    this.target = `${scheme}:///echo`;
    this.#endpoints = asEndpoints(servers);
    registerEndpointSource(scheme, (): EndpointSource => ({
      start: (listener) => {
        this.running++;
        this.#listener = listener;
        queueMicrotask(() => this.started());
      },
      refresh: () => void this.refreshes++,
      stop: () => {
        this.running--;
        this.#listener = undefined;
      },
    }));
  }

  /** A whole new list. */
  set(servers: readonly Listening[]): void {
    this.setEndpoints(asEndpoints(servers));
  }

  setEndpoints(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
    this.#tell();
  }

  fail(message: string): void {
    this.#listener?.onError(new Error(message));
  }

  protected started(): void {
    this.#tell();
  }

  #tell(): void {
    this.#listener?.onEndpoints(this.#endpoints);
  }
}

/** Discovery that has not answered yet: only what a test says afterwards is an answer. */
export class SilentDiscovery extends ManualDiscovery {
  protected override started(): void {}
}

function asEndpoints(servers: readonly Listening[]): Endpoint[] {
  return servers.map(({ port }) => ({ address: { host: '127.0.0.1', port } }));
}
