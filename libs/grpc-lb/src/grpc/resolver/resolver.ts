import { type ChannelOptions, Metadata, status as Status } from '@grpc/grpc-js';
import { remedyFor } from '../../core/connection/unreachable.js';
import type { Cancel } from '../../core/clock.js';
import { effectiveLoadBalancing } from '../../core/options/load-balancing.js';
import { byTarget } from '../../core/balancing/members/by-target.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { withoutSecrets } from '../../core/target-secrets.js';
import { ClientContext, CONTEXT_OPTION } from '../context/client-context.js';
import { workTimeOf } from '../context/work-time.js';
import { selectorAttribute } from '../balancer/config-selector.js';
import { authorityOf } from '../channel/default-authority.js';
import {
  type GrpcEndpoint,
  type GrpcUri,
  type Resolver,
  type ResolverListener,
  statusOrFromError,
  statusOrFromValue,
} from '../experimental.js';
import { tlsNameAttribute } from '../channel/tls-name.js';
import { TrackedSource } from './tracked-source.js';

/**
 * The scheme for all sources, `grpc-lb:dns:///orders:50051`. This package's clients use it, so that grpc-js's own `dns`
 * stays unchanged for other clients.
 */
export const GRPC_LB_SCHEME = 'grpc-lb';

/** A few lists may arrive at once; further lists within this time, from a flapping source, are delivered together. */
const COALESCE_MS = 50;
const BURST = 5;
/**
 * Comparing a list of thousands of endpoints with the one before takes a tenth of a second of one turn. The next list
 * waits for this multiple of that time, up to the maximum. A list that takes at most `SHORT_MS` causes no wait. Time in
 * which this process waits for a CPU is not counted: every list would wait on a busy machine.
 */
const REST = 4;
const MAX_REST_MS = 5000;
const SHORT_MS = 10;
/** How long to wait for a target of better priority before the answers of the others are used. */
const FIRST_ANSWER_MS = 5000;

/** The target that a user wrote, from the one that grpc-js parsed. */
function innerTarget({ scheme, authority, path }: GrpcUri): string {
  if (scheme === GRPC_LB_SCHEME) return authority === undefined ? path : `//${authority}/${path}`;
  return authority === undefined ? `${scheme}:${path}` : `${scheme}://${authority}/${path}`;
}

/** Combines the endpoint sources of a client into one grpc-js resolver: merges their lists by priority. */
export class SourceResolver implements Resolver {
  readonly #context: ClientContext;
  #sources: readonly TrackedSource[] = [];
  /** Whether it waits for targets of better priority than those that have answered. */
  #waiting = false;
  /** The number of endpoints in the last delivered list; undefined before the first. */
  #delivered: number | undefined;
  /** One token for each list that may be delivered at once. */
  readonly #budget: TokenBucket;
  #restUntil = -Infinity;
  #cancelTimer: Cancel | undefined;

  constructor(
    target: GrpcUri,
    private readonly listener: ResolverListener,
    private readonly options: ChannelOptions,
  ) {
    const uri = innerTarget(target);
    this.#context =
      (options[CONTEXT_OPTION] as ClientContext | undefined) ??
      new ClientContext({ name: '', targets: [uri], loadBalancing: effectiveLoadBalancing() });
    this.#budget = new TokenBucket(BURST, COALESCE_MS, this.#context.clock);
  }

  /** The `:authority`, which TLS verifies: the first host in the target. */
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
    this.#delivered = undefined;
    this.#context.discovery = undefined;
  }

  /** Queries the sources again, because the lists may be out of date. */
  refresh(): void {
    for (const source of this.#sources) source.refresh();
  }

  /** Delivers a changed service config with the last lists. */
  configChanged(): void {
    if (this.#delivered !== undefined) this.#deliver();
  }

  get sources(): readonly TrackedSource[] {
    return this.#sources;
  }

  #start(): void {
    this.#sources = this.#context.targets.map((uri) => new TrackedSource(uri, this.#context, () => this.#changed()));
    this.#context.discovery = this;
    this.#waiting = true;
    this.#deliverIn(FIRST_ANSWER_MS);
    for (const source of this.#sources) source.start();
  }

  #changed(): void {
    if (this.#waiting) {
      // Wait for the better targets: otherwise the others would get all the calls until those answer.
      const first = this.#sources.find(({ pending, endpoints }) => pending || endpoints.length > 0);
      if (!first?.pending) this.#deliver();
    } else this.#deliverIn(Math.max(this.#budget.wait, this.#restUntil - this.#context.clock.now()));
  }

  #deliverIn(delayMs: number): void {
    if (delayMs <= 0) this.#deliver();
    else
      this.#cancelTimer ??= this.#context.clock.after(delayMs, () => {
        this.#waiting = false;
        this.#deliver();
      });
  }

  #deliver(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    // A delivery for another reason takes a token too, but leaves no debt: the next list waits 50 ms at most.
    this.#budget.spend();
    const sources = this.#sources;
    const lists = sources.map((source) => source.endpoints);
    this.#context.targetNames?.listed(lists);
    this.#context.authorities?.listed(lists);
    const endpoints = byTarget(lists);
    const error = endpoints.length > 0 ? null : firstErrorOf(sources);
    if (endpoints.length === 0 && !this.#delivered) {
      if (error !== null) return this.#deliverFailure(error);
      // No source has answered yet. (An empty list from an authority is an answer.)
      if (sources.some(({ pending }) => pending)) return;
    }
    this.#waiting = false;
    this.#delivered = endpoints.length;
    const { clock } = this.#context;
    const began = workTimeOf(clock);
    const serviceConfig = this.#context.serviceConfig(this.#discoveredConfig());
    this.listener(
      statusOrFromValue(endpoints.map((endpoint): GrpcEndpoint => ({ ...endpoint, addresses: [endpoint.address] }))),
      {
        // A client with a service config of its own makes its calls itself.
        ...(serviceConfig === null && selectorAttribute(this.options)),
        // grpc-js verifies the name of the first target.
        ...tlsNameAttribute(this.#context.targets[0]!, this.options),
      },
      serviceConfig && statusOrFromValue(serviceConfig),
      error ?? noteOf(endpoints.length, this.#context.targets.map(withoutSecrets)),
    );
    const took = workTimeOf(clock) - began;
    if (took > SHORT_MS) this.#restUntil = clock.now() + Math.min(REST * took, MAX_REST_MS);
  }

  /** The first valid service config, in the order of the targets. */
  #discoveredConfig(): object | undefined {
    for (const source of this.#sources) {
      const config = source.validServiceConfig();
      if (config) return config;
    }
    return undefined;
  }

  #deliverFailure(message: string): void {
    const details = `discovery failed: ${message}${remedyFor(message)}`;
    const error = { code: Status.UNAVAILABLE, details, metadata: new Metadata() };
    this.listener(statusOrFromError(error), {}, null, '');
  }
}

/** The note that grpc-js appends to a call's error, if there is one. */
function noteOf(endpoints: number, targets: readonly string[]): string {
  if (endpoints > 0) return `${endpoints} endpoints of ${targets.join(' ')}`;
  return `${targets.join(' and ')} ${targets.length === 1 ? 'is' : 'are'} empty`;
}

function firstErrorOf(sources: readonly TrackedSource[]): string | null {
  return sources.map((source) => source.snapshot().error).find((error) => error !== null) ?? null;
}
