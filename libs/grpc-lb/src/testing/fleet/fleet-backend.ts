import type { ServiceDefinition } from '@grpc/grpc-js';
import { addressToString, type Endpoint } from '../../core/endpoint.js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import type { ServingStatus } from '../../grpc/endpoint/health-messages.js';
import type { AnyClient, BackendCall, HandlersOf } from '../handlers.js';
import { checkHandlerNames } from '../served-services.js';
import { type StatusName, statusError } from '../status-error.js';
import { atLeastOne, checkedDelay, checkedHealth } from './backend-arguments.js';
import { handlerIn, type UntypedHandlers } from './backend-handlers.js';
import { BackendHealth } from './backend-health.js';
import type { BackendOptions, FailOptions } from './backend-options.js';
import { BackendServer } from './backend-server.js';
import { Conduct } from './conduct.js';
import { fleetClosed, type FleetParts } from './fleet-parts.js';
import type { FleetTls } from './fleet-tls.js';
import { FrontDoor } from './front-door.js';
import { RunningCalls } from './running-calls.js';
import type { AnyCall, CallHost, ServedCall } from './service-implementation.js';
import { failShare, type ShareBounds } from './shares.js';

/** A gRPC server of a fleet, in this process, over real sockets. */
export class FleetBackend {
  /** Its place in the fleet. */
  readonly index: number;
  /** @internal What discovery tells of it. */
  readonly options: BackendOptions;
  readonly #fleet: FleetParts;
  readonly #conduct = new Conduct();
  readonly #door: FrontDoor;
  readonly #running = new RunningCalls();
  readonly #health: BackendHealth | undefined;
  #handlers: UntypedHandlers = {};
  #server: BackendServer | undefined;
  #limit: number | undefined;

  /** @internal A fleet creates its backends. */
  constructor(index: number, options: BackendOptions, fleet: FleetParts) {
    this.index = index;
    this.options = options;
    this.#limit = options.maxConcurrentStreams;
    this.#fleet = fleet;
    this.#door = new FrontDoor(options.host ?? '127.0.0.1', options.port ?? 0, fleet.tls, () => fleet.changed());
    if (fleet.health) this.#health = new BackendHealth(fleet.services.flatMap(serviceName));
  }

  /** As in `127.0.0.1:40123`; the same after a restart. */
  get address(): string {
    return addressToString(this.endpoint.address);
  }

  /** The IP address that it listens on. */
  get host(): string {
    return this.#door.host;
  }

  /** Its port; the same after a restart. */
  get port(): number {
    return this.#door.port;
  }

  /** @internal What clients are told. */
  get endpoint(): Endpoint {
    const { host: _host, port: _port, maxConcurrentStreams: _limit, ...told } = this.options;
    return { ...told, address: { host: this.host, port: this.port } };
  }

  /** Whether it accepts connections: not after `stop` and `drain`. */
  get running(): boolean {
    return this.#door.isOpen;
  }

  /** Connections over which a client can send calls. */
  get connections(): number {
    return this.#door.settled;
  }

  /** @internal Its state, for the error of `ready`. */
  get state(): string {
    if (!this.#door.isOpen) return 'stopped';
    if (this.#door.partitioned) return 'partitioned';
    return `${this.connections} connections${this.#door.misunderstood ? `; ${misunderstanding(this.#fleet.tls)}` : ''}`;
  }

  /** @internal Whether calls can reach it now. */
  get reachable(): boolean {
    return this.#door.isOpen && !this.#door.partitioned && this.#door.settled > 0;
  }

  /** @internal Whether a client should be able to reach it. */
  get expected(): boolean {
    return this.#door.isOpen && !this.#door.partitioned;
  }

  /** @internal What it says of a service in `grpc.health.v1`; undefined if it does not know it, or serves no health. */
  healthOf(service: string): ServingStatus | undefined {
    return this.#health?.of(service);
  }

  /** How many connections it has accepted since it was created; restarts do not reset it. */
  get accepted(): number {
    return this.#door.accepted;
  }

  /** Calls that it got since the start, or since `fleet.clear()`; those of the health service do not count. */
  get calls(): number {
    return this.#fleet.log.countOf(this.index);
  }

  /** Calls that run now, with those that hang. */
  get inFlight(): number {
    return this.#running.count;
  }

  /** The most calls that ran at a time since the start, or since `fleet.clear()`. */
  get mostInFlight(): number {
    return this.#running.most;
  }

  /** Its part of the calls that all backends got, 0 to 1. */
  get share(): number {
    const { total } = this.#fleet.log;
    return total === 0 ? 0 : this.calls / total;
  }

  /**
   * Answers by handlers of its own, until `recover`. Methods without one are answered as by the rest of the fleet. Calls
   * that have begun are not affected.
   *
   * @throws GrpcLbOptionsError if the services have no such method.
   * @example
   *   fleet[1].handle<OrdersClient>({ find: ({ id }) => ({ id, servedBy: 'canary' }) });
   */
  handle<Client = AnyClient>(handlers: HandlersOf<NoInfer<Client>, BackendCall>): void {
    const faults: Fault[] = [];
    checkHandlerNames(handlers, this.#fleet.services, '', faults);
    if (faults.length > 0) throw new GrpcLbOptionsError(`handle of backend ${this.index}`, faults);
    this.#handlers = handlers as UntypedHandlers;
  }

  /**
   * Answers each call late. Time for which this process does not run does not count, so that on a busy machine the
   * backend is slow in comparison, too.
   *
   * @param delay Milliseconds, 0 to 86400000; or a function that returns them for the next call.
   * @throws GrpcLbArgumentError if the delay is out of range.
   * @example
   *   fleet[1].slow(200);
   */
  slow(delay: number | (() => number)): void {
    this.#conduct.slow(checkedDelay(delay));
  }

  /**
   * Fails calls with a status.
   *
   * @throws GrpcLbArgumentError if there is no such status, or `times` is not a whole number from 1.
   * @example
   *   fleet[1].fail('UNAVAILABLE', { times: 3 });
   */
  fail(status: StatusName, { details, times, trailers }: FailOptions = {}): void {
    // Checks them now, not when a call comes.
    statusError(status, details, trailers);
    this.#conduct.fail(() => statusError(status, details, trailers), atLeastOne('times', times));
  }

  /** Answers no call, until `recover`; the connections stay open and healthy. */
  hang(): void {
    this.#conduct.hang();
  }

  /**
   * Sets what it says in `grpc.health.v1`, which clients watch: `NOT_SERVING`, and `SERVING` again. It answers calls all
   * the same. `await fleet.ready()` waits until clients have heard it.
   *
   * @param service The full name of one service, as in `orders.v1.Orders`; `''` is the backend as a whole. A service that
   *   it does not serve is added. Default: all.
   * @throws GrpcLbArgumentError if there is no such status, or the fleet serves no health.
   * @example
   *   fleet[1].setHealth('NOT_SERVING');
   */
  setHealth(status: ServingStatus, service?: string): void {
    checkedHealth(this.#health, status, service).set(status, service);
    this.#fleet.changed();
  }

  /** Ends `handle`, `slow`, `fail` and `hang`, and all is `SERVING` again; calls that hang are answered. */
  recover(): void {
    this.#handlers = {};
    this.#conduct.recover();
    this.#health?.reset();
  }

  /** Loses all packets in both directions: connections stay open and silent, and so do new ones. */
  partition(): void {
    this.#door.partition();
    this.#fleet.changed();
  }

  /** Ends `partition`: what was sent meanwhile arrives. */
  heal(): void {
    this.#door.heal();
    this.#fleet.changed();
  }

  /** Cuts its connections, as a network that resets them. It keeps running, so clients may connect again at once. */
  async cut(): Promise<void> {
    await this.#door.cut();
  }

  /** Dies, as a process that is killed: all connections are cut, and the port refuses new ones. */
  async stop(): Promise<void> {
    this.#door.close();
    const cut = this.#door.cut();
    this.#end();
    await cut;
  }

  /**
   * Ends as a server that shuts down: GOAWAY on its connections, no new ones, and calls in flight are answered. It stays
   * in the list of discovery; `fleet.remove` takes it out.
   *
   * @returns Resolves when the last call has been answered; calls that `hang` are answered after `recover`.
   */
  async drain(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#door.close();
    await server.shutDown(this.#door.retire());
    if (this.#server === server) this.#end();
  }

  /**
   * Starts anew on the same port, as a new process: what `recover` and `heal` end does not last. If the fleet is closed
   * meanwhile, it stays stopped.
   *
   * @throws GrpcLbClosedError if the fleet is closed.
   */
  async restart(): Promise<void> {
    if (this.#fleet.isClosed()) throw fleetClosed();
    await this.stop();
    this.recover();
    this.heal();
    if (!this.#fleet.isClosed()) await this.start();
  }

  /**
   * Limits the streams that one connection takes at a time. A server tells its limit when a connection begins, so the
   * connections of before are drained, and clients connect again: wait for them with `await fleet.ready()`.
   *
   * @param limit 1 to 1000000.
   * @returns Resolves when the last call on the connections of before has been answered.
   * @throws GrpcLbArgumentError if the limit is out of range.
   */
  async limitStreams(limit: number): Promise<void> {
    this.#limit = atLeastOne('limit', limit);
    const old = this.#server;
    if (!old || !this.running) return;
    const server = this.#createServer();
    const connections = this.#door.handOver(server.accept);
    this.#server = server;
    await old.shutDown(connections);
  }

  /**
   * Fails unless its part of the calls is within bounds.
   *
   * @throws AssertionError that lists the calls of all backends.
   * @example
   *   fleet[1].expectShare({ atMost: 0.1 });
   */
  expectShare(bounds: ShareBounds): void {
    const { atLeast = 0, atMost = 1 } = bounds;
    const { share } = this;
    if (share >= atLeast && share <= atMost) return;
    failShare(this.index, share, bounds, this.#fleet.log);
  }

  /** @internal */
  async start(): Promise<void> {
    const server = this.#createServer();
    this.#server = server;
    await this.#door.open(server.accept);
  }

  /** @internal */
  clear(): void {
    this.#running.clear();
  }

  #createServer(): BackendServer {
    const { services, serverOptions } = this.#fleet;
    const limit = this.#limit === undefined ? {} : { 'grpc.max_concurrent_streams': this.#limit };
    const host: CallHost = {
      arrived: (method, call, request) => this.#arrived(method, call, request),
      handlerFor: (names) => handlerIn(this.#handlers, names) ?? this.#fleet.handlerFor(names),
    };
    return new BackendServer(services, host, this.#health, { ...serverOptions, ...limit });
  }

  #end(): void {
    this.#server?.kill();
    this.#server = undefined;
    this.#running.abort();
  }

  #arrived(method: string, call: AnyCall, request: unknown): ServedCall {
    const { index } = this;
    const { metadata } = call;
    this.#fleet.log.add({ backend: index, method, request, metadata });
    const { signal, done } = this.#running.begin(call);
    return { info: { backend: index, method, metadata, signal }, admitted: () => this.#conduct.admit(signal), done };
  }
}

function misunderstanding(tls: FleetTls | undefined): string {
  return tls
    ? 'a client speaks no TLS to it; use fleet.client(), or set its option tls to fleet.tls'
    : 'a client speaks TLS to it; use fleet.client() without credentials, or createFleet({ tls: true })';
}

/** The full name of the service, as in `orders.v1.Orders`. */
function serviceName(service: ServiceDefinition): string[] {
  const [first] = Object.values(service);
  return first ? [first.path.slice(1, first.path.lastIndexOf('/'))] : [];
}
