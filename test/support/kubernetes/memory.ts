import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import type { EndpointAnswer, EndpointListener } from '../../../libs/grpc-lb/src/core/endpoint-source.js';
import { addressToString, type Endpoint } from '../../../libs/grpc-lb/src/core/endpoint.js';
import type { Random } from '../../../libs/grpc-lb/src/core/random.js';
import { effectiveKubernetesOptions } from '../../../libs/grpc-lb/src/discovery/kubernetes/kubernetes-options.js';
import { KubernetesSource } from '../../../libs/grpc-lb/src/discovery/kubernetes/kubernetes-source.js';
import {
  ApiError,
  type SliceApi,
  type WatchListener,
} from '../../../libs/grpc-lb/src/discovery/kubernetes/slice-api.js';
import { FakeClock } from '../time/fake-clock.js';
import { KubernetesStore, type StoreEvent } from './store.js';

interface MemoryWatch {
  readonly listener: WatchListener;
  readonly timeoutMs: number;
  end(error?: Error): void;
}

const nextTurn = promisify(setImmediate);

/** The requests of a source to the API server, answered without sockets in the same turn, for use with a fake clock. */
export class MemoryApi implements SliceApi {
  readonly store = new KubernetesStore();
  readonly watches = new Set<MemoryWatch>();
  /** `list`, `watch 1000`, ... */
  readonly asked: string[] = [];
  /** While it is set, every request fails with it. */
  down: Error | undefined;
  /** For the next requests, one each. */
  readonly failures: Error[] = [];
  /** While it is set, watches are not answered: neither accepted nor refused. */
  mute = false;

  async list(token: string | undefined, onItem: (item: unknown) => void, signal: AbortSignal): Promise<unknown> {
    this.asked.push(token === undefined ? 'list' : `list ${token}`);
    const error = this.failures.shift() ?? this.down;
    if (error) throw error;
    signal.throwIfAborted();
    for (const object of this.store.objects) onItem(object);
    return { metadata: { resourceVersion: String(this.store.version) }, items: [] };
  }

  async watch(version: string, timeoutMs: number, listener: WatchListener, signal: AbortSignal): Promise<void> {
    this.asked.push(`watch ${version}`);
    const error = this.failures.shift() ?? this.down;
    if (error) throw error;
    if (Number(version) < this.store.compacted) throw new ApiError(410, '410 Expired');
    if (this.mute) return this.#silence(signal);
    listener.onOpen();
    const forward = ({ type, object }: StoreEvent): void => listener.onEvents([{ type, object }]);
    for (const event of this.store.since(Number(version))) forward(event);
    const stop = this.store.watch(forward);
    await new Promise<void>((resolve, reject) => {
      const end = (cut?: Error): void => {
        stop();
        this.watches.delete(watch);
        if (cut) reject(cut);
        else resolve();
      };
      const watch: MemoryWatch = { listener, timeoutMs, end };
      this.watches.add(watch);
      signal.addEventListener('abort', () => end(signal.reason as Error));
      if (signal.aborted) end(signal.reason as Error);
    });
  }

  /** Until the source gives up. */
  #silence(signal: AbortSignal): Promise<never> {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }

  send(...events: unknown[]): void {
    for (const { listener } of this.watches) listener.onEvents(events);
  }

  endWatches(error?: Error): void {
    for (const watch of this.watches) watch.end(error);
  }
}

/** Waits until all promises that can settle have done so. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await nextTurn();
}

/** A source over such an API, on a fake clock, and all that it has said. */
export class MemorySource implements EndpointListener {
  readonly api = new MemoryApi();
  readonly clock = new FakeClock();
  readonly source: KubernetesSource;
  readonly lists: string[][] = [];
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  answers: (EndpointAnswer | undefined)[] = [];

  constructor(random: Random = () => 0.5) {
    const kubeConfig = new KubeConfig();
    const cluster = { name: 'test', server: 'https://10.96.0.1', skipTLSVerify: false };
    kubeConfig.loadFromClusterAndUser(cluster, { name: 'test' });
    const name = { service: 'orders', namespace: 'shop', port: 'grpc' };
    const options = effectiveKubernetesOptions({ kubeConfig });
    this.source = new KubernetesSource(name, options, { clock: this.clock, random }, this.api);
  }

  async start(): Promise<this> {
    this.source.start(this);
    await settled();
    return this;
  }

  /** The list that is in force. */
  get last(): string[] | undefined {
    return this.lists.at(-1);
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settled();
  }

  onEndpoints(endpoints: readonly Endpoint[], answer?: EndpointAnswer): void {
    this.lists.push(endpoints.map(({ address }) => addressToString(address).replace(':50051', '')));
    this.answers.push(answer);
  }

  onError(error: Error): void {
    this.errors.push(error.message);
  }

  onWarning(warning: string): void {
    this.warnings.push(warning);
  }
}
