import { type Client, credentials, type ServiceClientConstructor } from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import type { LbEventListener } from '../core/events.js';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';
import { didYouMean, type Fault, GrpcLbOptionsError } from '../core/options/validation.js';
import type { ClientSnapshot } from '../core/snapshot.js';
import { BalancedChannel } from '../grpc/balanced-channel.js';
import type { Explanation } from '../grpc/explain.js';
import { checkClientOptions } from './client-check.js';
import type { GrpcLbClientOptions } from './client-options.js';
import { callObservable } from './stub/call-observable.js';
import { loadServices } from './stub/service-definitions.js';
import { transportChannelOptions } from './transport-options.js';

/** One balanced client: Nest's `ClientGrpc` over one channel that all its services share, and a window into it. */
export class GrpcLbClientHandle implements ClientGrpc {
  readonly #balanced: BalancedChannel;
  readonly #services: ReadonlyMap<string, ServiceClientConstructor>;
  readonly #options: GrpcLbClientOptions;
  readonly #clients = new Map<string, Client>();
  readonly #stubs = new Map<string, object>();

  /** @throws GrpcLbOptionsError that lists all that is wrong. */
  constructor(
    readonly name: string,
    options: GrpcLbClientOptions,
    onEvent: LbEventListener,
    faults: readonly Fault[] = [],
  ) {
    const found = [...faults];
    checkClientOptions(options, found);
    this.#services = loadServices(options, found);
    if (found.length > 0) throw new GrpcLbOptionsError(`client ${name}`, found);
    this.#options = options;
    this.#balanced = new BalancedChannel({
      name,
      target: (options.target ?? options.url)!,
      credentials: this.#credentials,
      channelOptions: transportChannelOptions(options),
      loadBalancing: options.loadBalancing,
      onEvent,
    });
  }

  /**
   * The methods of a service as functions that return Observables, the same object each time.
   *
   * @throws Error if the client's packages have no such service.
   */
  getService<T extends object>(name: string): T {
    let stub = this.#stubs.get(name);
    if (!stub) this.#stubs.set(name, (stub = this.#createStub(name)));
    return stub as T;
  }

  /** The grpc-js client of a service, for what Observables cannot do. */
  getClientByServiceName<T = Client>(name: string): T {
    let client = this.#clients.get(name);
    if (!client) this.#clients.set(name, (client = this.#createClient(name)));
    return client as T;
  }

  snapshot(): ClientSnapshot {
    return this.#balanced.snapshot();
  }

  explain(): Explanation {
    return this.#balanced.explain();
  }

  /** Puts new load-balancing options in force, without one dropped call; what is left out takes its default. */
  configure(loadBalancing: LoadBalancingOptions): void {
    this.#balanced.configure(loadBalancing);
  }

  /** Starts discovery and connects. The module does it when the application starts. */
  connect(): void {
    this.#balanced.connect();
  }

  /** No new calls; those in flight end by themselves. The module does it when the application has shut down. */
  close(): void {
    this.#balanced.close();
  }

  get #credentials() {
    return this.#options.credentials ?? credentials.createInsecure();
  }

  #serviceNamed(name: string): ServiceClientConstructor {
    const service = this.#services.get(name);
    if (service) return service;
    const known = [...this.#services.keys()];
    throw new GrpcLbOptionsError(`client ${this.name}`, [
      { path: 'service', message: `is "${name}", which package ${String(this.#options.package)} does not have${didYouMean(name, known)}; it has ${known.join(', ') || 'none'}` },
    ]);
  }

  #createClient(name: string): Client {
    const Service = this.#serviceNamed(name);
    return new Service(this.#balanced.channel.getTarget(), this.#credentials, {
      channelOverride: this.#balanced.channel,
      interceptors: [...(this.#options.interceptors ?? [])],
    });
  }

  #createStub(name: string): object {
    const client = this.getClientByServiceName(name);
    const stub: Record<string, unknown> = {};
    for (const [key, method] of Object.entries(this.#serviceNamed(name).service)) {
      const call = callObservable(`client ${this.name}, ${name}/${key}`, client, method);
      // grpc-js and Nest know a method by its name in the proto file and in lower camel case.
      stub[key] = call;
      if (method.originalName !== undefined) stub[method.originalName] = call;
    }
    return stub;
  }
}
