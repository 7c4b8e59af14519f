import { type ChannelOptions, Metadata, status as Status } from '@grpc/grpc-js';
import type { Cancel } from '../core/clock.js';
import { effectiveLoadBalancing } from '../core/options/load-balancing.js';
import { byTarget } from '../core/membership/by-target.js';
import { ClientContext, CONTEXT_OPTION } from './client-context.js';
import { authorityOf } from './default-authority.js';
import { faultOfConfig } from './discovered-config.js';
import {
  type GrpcEndpoint,
  type GrpcUri,
  type Resolver,
  type ResolverListener,
  statusOrFromError,
  statusOrFromValue,
} from './experimental.js';
import { TrackedSource } from './tracked-source.js';

/**
 * The scheme under which every source can be reached, `grpc-lb:dns:///orders:50051`. It is what clients of this
 * package use, so that grpc-js's own `dns` stays as it is for everybody else.
 */
export const GRPC_LB_SCHEME = 'grpc-lb';

/** A few lists may come at once; of a source that flaps all that come within this time are taken together. */
const COALESCE_MS = 50;
const BURST = 5;
/** A target of a better priority is waited for so long, before what the others say is used. */
const FIRST_ANSWER_MS = 5000;

/** The target that a user wrote, out of the one that grpc-js parsed. */
function innerTarget({ scheme, authority, path }: GrpcUri): string {
  if (scheme === GRPC_LB_SCHEME) return authority === undefined ? path : `//${authority}/${path}`;
  return authority === undefined ? `${scheme}:${path}` : `${scheme}://${authority}/${path}`;
}

/** Makes the endpoint sources of a client one grpc-js resolver: their lists become one, by priority. */
export class SourceResolver implements Resolver {
  readonly #context: ClientContext;
  #sources: readonly TrackedSource[] = [];
  #delivered = false;
  /** A token bucket: one for each list that may be handed on at once. */
  #tokens = BURST;
  #tokensAt = 0;
  #cancelTimer: Cancel | undefined;

  constructor(
    target: GrpcUri,
    private readonly listener: ResolverListener,
    options: ChannelOptions,
  ) {
    const uri = innerTarget(target);
    this.#context =
      (options[CONTEXT_OPTION] as ClientContext | undefined) ?? new ClientContext('', [uri], effectiveLoadBalancing());
  }

  /** What goes into `:authority`, and what TLS verifies: the first host that the target names. */
  static getDefaultAuthority(target: GrpcUri): string {
    return authorityOf(innerTarget(target));
  }

  updateResolution(): void {
    if (this.#sources.length === 0) this.#start();
    else for (const source of this.#sources) source.refresh();
  }

  destroy(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const source of this.#sources) source.stop();
    this.#sources = [];
    this.#delivered = false;
    this.#context.discovery = undefined;
  }

  /** Asks again: the lists may be out of date. */
  refresh(): void {
    for (const source of this.#sources) source.refresh();
  }

  /** The service config has changed, and is handed out with the last lists. */
  configChanged(): void {
    if (this.#delivered) this.#deliver();
  }

  get sources(): readonly TrackedSource[] {
    return this.#sources;
  }

  #start(): void {
    this.#sources = this.#context.targets.map((uri) => new TrackedSource(uri, this.#context, () => this.#changed()));
    this.#context.discovery = this;
    this.#deliverIn(FIRST_ANSWER_MS);
    for (const source of this.#sources) source.start();
  }

  #changed(): void {
    if (!this.#delivered) {
      // Until the better ones have spoken, the others would get all the calls.
      const first = this.#sources.find(({ pending, endpoints }) => pending || endpoints.length > 0);
      if (!first?.pending) this.#deliver();
    } else {
      const now = this.#context.clock.now();
      this.#tokens = Math.min(BURST, this.#tokens + (now - this.#tokensAt) / COALESCE_MS);
      this.#tokensAt = now;
      this.#deliverIn((1 - this.#tokens) * COALESCE_MS);
    }
  }

  #deliverIn(delayMs: number): void {
    if (delayMs <= 0) this.#deliver();
    else this.#cancelTimer ??= this.#context.clock.after(delayMs, () => this.#deliver());
  }

  #deliver(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#tokens--;
    const sources = this.#sources;
    const endpoints = byTarget(sources.map((source) => source.endpoints));
    if (endpoints.length === 0) {
      // An authority's empty list is the truth; else nobody has answered yet, or nobody could.
      const error = sources.map((source) => source.snapshot().error).find((text) => text !== null);
      if (error !== undefined) return this.#deliverFailure(error);
      if (sources.some(({ pending }) => pending)) return;
    }
    this.#delivered = true;
    const serviceConfig = this.#context.serviceConfig(this.#discoveredConfig());
    this.listener(
      statusOrFromValue(endpoints.map((endpoint): GrpcEndpoint => ({ ...endpoint, addresses: [endpoint.address] }))),
      {},
      serviceConfig && statusOrFromValue(serviceConfig),
      `${endpoints.length} endpoints of ${this.#context.target}`,
    );
  }

  /** That of the best target which brought a good one. */
  #discoveredConfig(): object | undefined {
    return this.#sources.find((source) => {
      if (!source.serviceConfig) return false;
      const fault = faultOfConfig(source.serviceConfig);
      if (fault !== null) source.onWarning(`the service config of discovery is not used: ${fault}`);
      return fault === null;
    })?.serviceConfig;
  }

  #deliverFailure(message: string): void {
    const error = { code: Status.UNAVAILABLE, details: `discovery failed: ${message}`, metadata: new Metadata() };
    this.listener(statusOrFromError(error), {}, null, '');
  }
}
