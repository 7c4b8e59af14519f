import type { Cancel, Clock } from '../../core/clock.js';
import type { EndpointListener, EndpointSource, EndpointSourceContext } from '../../core/endpoint-source.js';
import { GrpcLbDiscoveryError } from '../../core/errors.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { ApiServer } from './api-server.js';
import { Cluster } from './cluster.js';
import type { AddressFamily } from './endpoint-slice.js';
import { explainError } from './explain-error.js';
import type { EffectiveKubernetesOptions } from './kubernetes-options.js';
import type { ServiceName } from './kubernetes-target.js';
import { mergeSlices } from './merge-slices.js';
import { ApiError, type SliceApi } from './slice-api.js';
import { SliceStore } from './slice-store.js';
import { SliceWatcher } from './slice-watcher.js';

/**
 * A merge takes one to two microseconds for each endpoint. A Service with hundreds of endpoints passes each change on
 * at once, one with 10000 every 50 ms at most. Burst in endpoints; refill in milliseconds per endpoint.
 */
const MERGE_BURST = 20_000;
const MERGE_REFILL_MS = 1 / 200;
/** The cost of a merge in addition to its endpoints. */
const MERGE_COST = 100;
/** Warnings differ by slice; of many bad slices only a few are reported. */
const WARNING_BURST = 5;
const WARNING_REFILL_MS = 10_000;

/** The pods behind a Service, as its EndpointSlices name them. */
export class KubernetesSource implements EndpointSource {
  #listener: EndpointListener | undefined;
  /** There were slices, and nothing since has put in doubt that these are all that this client may see. */
  #known = false;
  readonly #cluster: Cluster;
  readonly #store = new SliceStore((text) => this.#warn(text));
  readonly #clock: Clock;
  readonly #merges: TokenBucket;
  readonly #warnings: TokenBucket;
  /** The timer of a change that waits for budget. */
  #cancelTell: Cancel | undefined;
  readonly #watcher: SliceWatcher;

  constructor(
    private readonly name: ServiceName,
    private readonly options: EffectiveKubernetesOptions,
    context: EndpointSourceContext,
    /** Tests pass one without sockets. */
    api?: SliceApi,
  ) {
    const { apiVersion, timeout, watchTimeout } = options;
    this.#clock = context.clock;
    this.#merges = new TokenBucket(MERGE_BURST, MERGE_REFILL_MS, context.clock);
    this.#warnings = new TokenBucket(WARNING_BURST, WARNING_REFILL_MS, context.clock);
    this.#cluster = new Cluster(options);
    const server = new ApiServer(this.#cluster, { ...name, apiVersion, timeout }, context.clock);
    const listener = {
      onCurrent: () => this.#changed(),
      onError: (error: unknown) => this.#onError(error),
    };
    this.#watcher = new SliceWatcher(api ?? server, this.#store, listener, { ...context, watchTimeout });
  }

  start(listener: EndpointListener): void {
    this.#listener = listener;
    queueMicrotask(() => this.#listener && this.#watcher.start());
  }

  refresh(): void {
    this.#watcher.refresh();
  }

  stop(): void {
    this.#listener = undefined;
    this.#cancelTell?.();
    this.#watcher.stop();
  }

  #changed(): void {
    const { wait } = this.#merges;
    if (wait <= 0) this.#tell();
    else this.#cancelTell ??= this.#clock.after(wait, () => this.#tell());
  }

  #tell(): void {
    this.#cancelTell?.();
    this.#cancelTell = undefined;
    const { slices } = this.#store;
    this.#merges.charge(MERGE_COST + slices.entries);
    if (slices.size === 0 && !this.#known)
      return this.#fail('there are none; check that the Service exists and has a selector');
    this.#known = true;
    const all = [...slices.values()];
    const merged =
      slices.size === 0 ? { endpoints: [] } : mergeSlices(all, this.name.port, this.#family, this.options.place);
    if ('problem' in merged) return this.#fail(merged.problem);
    if (all.some(({ addressType }) => addressType === 'FQDN')) {
      this.#listener?.onWarning(`${this.#subject}: slices of addressType FQDN are ignored`);
    }
    this.#listener?.onEndpoints(merged.endpoints, { authoritative: true });
  }

  #onError(error: unknown): void {
    // A list after an error means that the error is over.
    if (this.#cancelTell) this.#tell();
    // After that, "none" may mean "none that you may see".
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) this.#known = false;
    const { service } = this.name;
    const { apiVersion } = this.options;
    const asked = { service, namespace: this.#namespace, apiVersion, server: this.#server };
    this.#listener?.onError(explainError(error, asked));
  }

  #warn(text: string): void {
    if (this.#warnings.take()) this.#listener?.onWarning(text);
  }

  #fail(problem: string): void {
    this.#listener?.onError(new GrpcLbDiscoveryError(`${this.#subject}: ${problem}`));
  }

  get #subject(): string {
    return `EndpointSlices of "${this.name.service}" in namespace "${this.#namespace}"`;
  }

  get #family(): AddressFamily {
    return this.options.addressFamily ?? this.#cluster.family;
  }

  get #namespace(): string {
    return this.name.namespace ?? orElse(() => this.#cluster.namespace, '?');
  }

  get #server(): string | undefined {
    return orElse(() => this.#cluster.server, undefined);
  }
}

/** The error may be that the configuration cannot be read. */
function orElse<T, E>(read: () => T, otherwise: E): T | E {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
