import { type Client, type ClientOptions, credentials, type ServiceClientConstructor } from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import type { LbEventListener } from '../core/events.js';
import { type LoadBalancingOptions, loadBalancingCheck } from '../core/options/load-balancing.js';
import { type Fault, GrpcLbError, GrpcLbOptionsError } from '../core/errors.js';
import { requireObserver } from '../core/options/required.js';
import { didYouMean, shown } from '../core/options/validation.js';
import type { ClientSnapshot } from '../core/snapshot.js';
import type { CallObserver } from '../grpc/call/call-observer.js';
import { BalancedChannel } from '../grpc/channel/balanced-channel.js';
import type { CallToExplain, Explanation } from '../grpc/channel/explain.js';
import { DelegatedChannel, isDelegated } from '../grpc/channel/delegated-channel.js';
import type { MethodInfo } from '../grpc/config/service-config.js';
import { checkClientOptions } from './client-check.js';
import type { GrpcLbClientOptions } from './client-options.js';
import { checkHashFields } from './hash-fields.js';
import { isCalledByOthers, methodNames } from './definition/method-names.js';
import { checkMethodNames, methodsOf } from './methods.js';
import { callObservable } from './stub/call-observable.js';
import { methodForms, withForms } from './stub/method-forms.js';
import { OpenCalls } from './stub/open-calls.js';
import { PulledRequestsCall } from './stub/pulled-call.js';
import { cancelled } from './stub/service-error.js';
import { callStarter, type Keyed, type MethodCaller, type StartCall } from './stub/start-call.js';
import type { DirectWay } from './stub/subscribed-call.js';
import { loadServices } from './stub/service-definitions.js';
import { checkResumable } from './streams/resumable-check.js';
import { resumableFor, streamTarget } from './streams/stream-target.js';
import { pullable } from './streams/iterate.js';
import { pullableMethod, resumableMethod } from './streams/resumable-method.js';
import { transportChannelOptions } from './transport-options.js';
import { targetOf } from './url.js';

const CLOSE_GRACE_MS = 500;

/** One balanced client: Nest's `ClientGrpc` over one channel that all its services share. */
export class GrpcLbClientHandle implements ClientGrpc {
  /** The name of the client in snapshots, events and errors. */
  readonly name: string;
  readonly #balanced: BalancedChannel | DelegatedChannel;
  readonly #services: ReadonlyMap<string, ServiceClientConstructor>;
  readonly #options: GrpcLbClientOptions;
  readonly #clients = new Map<string, Client>();
  readonly #stubs = new Map<string, object>();
  readonly #openCalls = new OpenCalls();
  #configured: LoadBalancingOptions | undefined;

  /**
   * @internal The registry creates clients.
   * @throws GrpcLbOptionsError that lists all faults.
   */
  constructor(
    name: string,
    options: GrpcLbClientOptions,
    onEvent: LbEventListener,
    faults: readonly Fault[] = [],
    targetPath?: (path: string) => string,
    observer?: CallObserver,
  ) {
    this.name = name;
    const found = [...faults];
    checkClientOptions(options, found, targetPath);
    this.#services = loadServices(`client ${name}`, options, found);
    const methods = methodsOf(this.#services);
    checkMethodNames(options.loadBalancing, methods, found);
    checkHashFields(options.loadBalancing, this.#services, found);
    checkResumable(options.resumable, this.#services, found);
    if (found.length > 0) throw new GrpcLbOptionsError(`client ${name}`, found);
    this.#options = options;
    this.#balanced = this.#createChannel(methods, onEvent, observer);
  }

  /**
   * The stub of a service: its methods return Observables. The same object each time.
   *
   * @throws GrpcLbOptionsError if the packages of the client have no such service.
   */
  getService<T extends object>(name: string): T {
    let stub = this.#stubs.get(name);
    if (!stub) this.#stubs.set(name, (stub = this.#createStub(name)));
    return stub as T;
  }

  /**
   * The grpc-js client of a service, for what Observables cannot do; the same object each time.
   *
   * @throws GrpcLbOptionsError if the packages of the client have no such service.
   */
  getClientByServiceName<T = Client>(name: string): T {
    let client = this.#clients.get(name);
    if (!client) this.#clients.set(name, (client = this.#createClient(name)));
    return client as T;
  }

  /** The state of the client and its endpoints at this moment. */
  snapshot(): ClientSnapshot {
    return this.#balanced.snapshot();
  }

  /** The methods of all its services, as in `/orders.v1.Orders/Find`. */
  get methods(): readonly string[] {
    return methodsOf(this.#services).map(({ service, method }) => `/${service}/${method}`);
  }

  /**
   * Explains where the next call goes, and why.
   *
   * @param call The method of the call, and its key for `ring_hash`.
   * @throws GrpcLbArgumentError if the client has no such method.
   */
  explain(call?: CallToExplain): Explanation {
    return this.#balanced.explain(call);
  }

  /**
   * Gives an endpoint no calls for a time; its calls in flight continue. Panic overrides it, as it overrides every
   * ejection.
   *
   * @param durationMs Milliseconds, 1 to 86400000.
   * @throws GrpcLbArgumentError if no endpoint is in use at the address, or the duration is out of range.
   */
  eject(address: string, durationMs: number): void {
    this.#balanced.endpointActions.eject(address, durationMs);
  }

  /**
   * Takes an endpoint out of use: no new calls, and its connections close when the last call has ended. It stays out
   * until `restore`, or until discovery no longer lists it.
   *
   * @throws GrpcLbArgumentError if no endpoint is in use at the address, or if it is the last one.
   */
  drain(address: string): void {
    this.#balanced.endpointActions.drain(address);
  }

  /**
   * Ends `eject` and `drain`. The endpoint starts slowly.
   *
   * @throws GrpcLbArgumentError if neither is in force at the address.
   */
  restore(address: string): void {
    this.#balanced.endpointActions.restore(address);
  }

  /**
   * Replaces the connections of an endpoint; no call is lost.
   *
   * @throws GrpcLbArgumentError if no endpoint is in use at the address.
   */
  recycle(address: string): void {
    this.#balanced.endpointActions.recycle(address);
  }

  /** @internal What the last `configure()` was given; undefined before the first. */
  get configured(): LoadBalancingOptions | undefined {
    return this.#configured;
  }

  /**
   * Replaces the load-balancing options without dropping a call. Options that are not given take their defaults.
   *
   * @throws GrpcLbOptionsError that lists all faults; the options in force stay.
   * @throws GrpcLbClosedError if the client is closed.
   */
  configure(loadBalancing: LoadBalancingOptions): void {
    const faults: Fault[] = [];
    loadBalancingCheck('loadBalancing', loadBalancing, faults);
    checkMethodNames(loadBalancing, methodsOf(this.#services), faults);
    checkHashFields(loadBalancing, this.#services, faults);
    if (faults.length > 0) throw new GrpcLbOptionsError(`client ${this.name}`, faults);
    this.#balanced.configure(loadBalancing);
    this.#configured = loadBalancing;
  }

  /**
   * Tells an observer of the calls that start from now on. With a target of `xds:` it is told of none, because grpc-js
   * makes those calls.
   *
   * @returns A function that removes it.
   * @throws GrpcLbArgumentError if it is not an observer.
   */
  observe(observer: CallObserver): () => void {
    requireObserver(observer);
    return this.#balanced instanceof BalancedChannel ? this.#balanced.observe(observer) : () => {};
  }

  /** @internal Whether this is its channel: to measure both would count each call twice. */
  includes(clients: object): boolean {
    return clients === this.#balanced;
  }

  /** Starts discovery and connects. The module calls it when the application starts. */
  connect(): void {
    this.#balanced.connect();
  }

  /**
   * Closes the client to new calls. Calls in flight have half a second to end, then they are canceled, because an open
   * stream would keep the process alive. The module calls it when the application has shut down.
   */
  close(): void {
    this.#balanced.close();
    if (this.#openCalls.isEmpty) return;
    const cancelRest = (): void => this.#openCalls.giveUp(cancelled(`client ${this.name} is closed`));
    setTimeout(cancelRest, CLOSE_GRACE_MS).unref();
  }

  #createChannel(
    methods: readonly MethodInfo[],
    onEvent: LbEventListener,
    observer: CallObserver | undefined,
  ): BalancedChannel | DelegatedChannel {
    const { name } = this;
    const { targets, loadBalancing, tls } = this.#options;
    const secured = tls ? { tls } : { credentials: this.#options.credentials ?? credentials.createInsecure() };
    const channelOptions = transportChannelOptions(this.#options);
    try {
      const common = { name, ...secured, channelOptions, loadBalancing, methods, onEvent };
      const only = targetOf(this.#options);
      return only !== undefined && isDelegated(only)
        ? new DelegatedChannel({ ...common, target: only })
        : new BalancedChannel({ ...common, target: (targets ?? only)!, observer });
    } catch (error) {
      if (error instanceof GrpcLbError) throw error;
      // grpc-js checks some of them itself, such as retry policies of a service config, without naming the client.
      throw new GrpcLbOptionsError(`client ${name}`, [
        { path: 'channelOptions', message: `are rejected by grpc-js: ${(error as Error).message}` },
      ]);
    }
  }

  #serviceNamed(name: string): ServiceClientConstructor {
    const service = this.#services.get(name);
    if (service) return service;
    const known = [...this.#services.keys()];
    throw new GrpcLbOptionsError(`client ${this.name}`, [
      {
        path: 'service',
        message: `is ${shown(name)}, which ${this.#source} does not have${didYouMean(name, known)}; it has ${known.join(', ') || 'none'}`,
      },
    ]);
  }

  get #source(): string {
    const name = this.#options.package;
    return name === undefined ? 'the definition' : `package ${String(name)}`;
  }

  #createClient(name: string): Client {
    const Service = this.#serviceNamed(name);
    return new Service(this.#balanced.channel.getTarget(), this.#balanced.credentials, {
      ...this.#options.channelOptions,
      ...this.#interceptorOptions,
      channelOverride: this.#balanced.channel,
    });
  }

  /** The interceptors of the client, from both places where Nest users may put them. */
  get #interceptorOptions(): Pick<ClientOptions, 'interceptors' | 'interceptor_providers'> {
    const { interceptors = [], interceptor_providers } = (this.#options.channelOptions ?? {}) as ClientOptions;
    return { interceptors: [...interceptors, ...(this.#options.interceptors ?? [])], interceptor_providers };
  }

  #createStub(name: string): object {
    const client = this.getClientByServiceName(name);
    const delegated = this.#balanced instanceof DelegatedChannel;
    const { target } = this.#balanced.snapshot();
    const about = { client, clientName: this.name, target };
    const common = { ...about, direct: this.#directWay(client), intercepted: this.#isIntercepted, delegated };
    const stub: Record<string, unknown> = {};
    const aliases = new Map<string, unknown>();
    for (const [key, method] of Object.entries(this.#serviceNamed(name).service)) {
      const keyed: Keyed = (request, metadata) => this.#balanced.keyed(request, metadata, method.path);
      const subject = `client ${this.name}, ${name}/${key}`;
      const caller = { subject, ...common, method, openCalls: this.#openCalls, keyed };
      const start = callStarter(caller);
      const resumes = resumableFor(this.#options.resumable, method);
      const call = resumes
        ? resumableMethod(streamTarget(caller, this.#balanced, resumes))
        : this.#plainMethod(caller, start);
      const forms = methodForms(caller, start);
      withForms(call, () => forms);
      if (!isCalledByOthers(key)) stub[key] = call;
      for (const each of methodNames(method)) aliases.set(each, call);
    }
    // A method may be named as another one in lower camel case.
    for (const [alias, call] of aliases) if (!Object.hasOwn(stub, alias)) stub[alias] = call;
    return stub;
  }

  #plainMethod(caller: MethodCaller, start: StartCall): ReturnType<typeof callObservable> {
    const call = callObservable(start);
    const { requestStream, responseStream } = caller.method;
    if (!responseStream) return call;
    if (!requestStream) return pullableMethod(call, streamTarget(caller, this.#balanced, undefined));
    return (request, ...rest) =>
      pullable(call(request, ...rest), (sink) => new PulledRequestsCall(start, request, rest, sink));
  }

  get #isIntercepted(): boolean {
    const { interceptors, interceptor_providers } = this.#interceptorOptions;
    const { callInvocationTransformer } = (this.#options.channelOptions ?? {}) as ClientOptions;
    return interceptors!.length > 0 || (interceptor_providers ?? callInvocationTransformer) !== undefined;
  }

  /** A way without grpc-js's client, unless something else has to see the calls that go through it. */
  #directWay(client: Client): DirectWay | undefined {
    const channel = this.#balanced;
    if (!(channel instanceof BalancedChannel)) return undefined;
    const { interceptors, interceptor_providers } = this.#interceptorOptions;
    const { callInvocationTransformer } = (this.#options.channelOptions ?? {}) as ClientOptions;
    if ((interceptor_providers ?? callInvocationTransformer) !== undefined) return undefined;
    // Instrumentations, such as OpenTelemetry's, wrap the methods of the client.
    const { makeUnaryRequest, makeServerStreamRequest } = client as unknown as Record<string, object>;
    if ('__wrapped' in makeUnaryRequest! || '__wrapped' in makeServerStreamRequest!) return undefined;
    return { channel, interceptors: interceptors! };
  }
}
