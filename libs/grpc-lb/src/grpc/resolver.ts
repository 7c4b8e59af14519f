import { type ChannelOptions, Metadata, status as Status } from '@grpc/grpc-js';
import type { Endpoint } from '../core/endpoint.js';
import type { EndpointSource } from '../core/endpoint-source.js';
import { createEndpointSource, parseTarget } from '../discovery/index.js';
import { effectiveLoadBalancing } from '../core/options/load-balancing.js';
import { checkEndpoints } from '../core/endpoint-check.js';
import { ClientContext, CONTEXT_OPTION } from './client-context.js';
import {
  type GrpcEndpoint,
  type GrpcUri,
  type Resolver,
  type ResolverListener,
  statusOrFromError,
  statusOrFromValue,
} from './experimental.js';

/**
 * The scheme under which every source can be reached, `grpc-lb:dns:///orders:50051`. It is what clients of this
 * package use, so that grpc-js's own `dns` stays as it is for everybody else.
 */
export const GRPC_LB_SCHEME = 'grpc-lb';

/** The target that a user wrote, out of the one that grpc-js parsed. */
function innerTarget({ scheme, authority, path }: GrpcUri): string {
  if (scheme === GRPC_LB_SCHEME) return authority === undefined ? path : `//${authority}/${path}`;
  return authority === undefined ? `${scheme}:${path}` : `${scheme}://${authority}/${path}`;
}

/** Makes an endpoint source a grpc-js resolver: it keeps the last good list, and tells the context how discovery fares. */
export class SourceResolver implements Resolver {
  readonly #context: ClientContext;
  readonly #uri: string;
  #source: EndpointSource | undefined;
  #last: readonly Endpoint[] = [];

  constructor(
    target: GrpcUri,
    private readonly listener: ResolverListener,
    options: ChannelOptions,
  ) {
    this.#uri = innerTarget(target);
    this.#context =
      (options[CONTEXT_OPTION] as ClientContext | undefined) ??
      new ClientContext('', this.#uri, effectiveLoadBalancing());
  }

  /** What goes into `:authority`, and what TLS verifies: the first host and port that the target names. */
  static getDefaultAuthority(target: GrpcUri): string {
    const first = parseTarget(innerTarget(target)).path.split(/[,;]/, 1)[0]!;
    return first.startsWith('unix:') ? 'localhost' : first;
  }

  updateResolution(): void {
    if (this.#source) this.#source.refresh();
    else this.#start();
  }

  destroy(): void {
    this.#source?.stop();
    this.#source = undefined;
    this.#last = [];
    this.#context.refreshDiscovery = () => {};
    this.#context.configChanged = () => {};
  }

  #start(): void {
    const target = parseTarget(this.#uri);
    const source = createEndpointSource(target, this.#context);
    this.#source = source;
    this.#context.source = {
      kind: target.scheme,
      state: 'pending',
      lastUpdate: null,
      staleForMs: null,
      error: null,
      dropped: 0,
    };
    this.#context.refreshDiscovery = () => source.refresh();
    this.#context.configChanged = () => {
      if (this.#last.length > 0) this.#deliver();
    };
    // A source that has been stopped is not believed any more.
    source.start({
      onEndpoints: (endpoints) => source === this.#source && this.#onEndpoints(endpoints),
      onError: (error) => source === this.#source && this.#onError(error.message),
      onWarning: (warning) => source === this.#source && this.#context.emit({ type: 'discovery_warning', warning }),
    });
  }

  #onEndpoints(endpoints: unknown): void {
    const { good, dropped, fault } = checkEndpoints(endpoints);
    const { source } = this.#context;
    this.#context.source = { ...source, dropped: source.dropped + dropped };
    const bad = fault === undefined ? null : `${dropped} of ${good.length + dropped} endpoints dropped: ${fault}`;
    if (good.length === 0) return this.#onError(bad ?? `${this.#uri} names no endpoint`);
    if (bad !== null && source.error !== bad) this.#context.emit({ type: 'discovery_failed', error: bad });
    this.#last = good;
    this.#context.source = { ...this.#context.source, state: 'ok', lastUpdate: Date.now(), error: bad };
    this.#deliver();
  }

  /** The last good list stays in use; calls fail only if there never was one. */
  #onError(message: string): void {
    const { source } = this.#context;
    const known = this.#last.length > 0;
    this.#context.source = { ...source, state: known ? 'stale' : 'failed', error: message };
    if (source.error !== message) this.#context.emit({ type: 'discovery_failed', error: message });
    if (!known) {
      const error = { code: Status.UNAVAILABLE, details: `discovery failed: ${message}`, metadata: new Metadata() };
      this.listener(statusOrFromError(error), {}, null, '');
    }
  }

  #deliver(): void {
    const endpoints = this.#last.map((endpoint): GrpcEndpoint & Endpoint => ({
      ...endpoint,
      addresses: [endpoint.address],
    }));
    const serviceConfig = this.#context.serviceConfig();
    this.listener(
      statusOrFromValue(endpoints),
      {},
      serviceConfig && statusOrFromValue(serviceConfig),
      `${endpoints.length} endpoints of ${this.#uri}`,
    );
  }
}
