import { Metadata, type Server, type ServerCredentials } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { GrpcLbArgumentError, GrpcLbConflictError } from '../core/errors.js';
import { requireObserver } from '../core/options/required.js';
import { shown } from '../core/options/validation.js';
import { Admission, type RefusedCalls } from './admission.js';
import type { ServerTlsSnapshot } from '../core/snapshot.js';
import { CallTracker } from './call-tracker.js';
import { DEGRADED_KEY, degradedValue } from './degraded.js';
import { drain, type GrpcDrainReport } from './drain.js';
import { DueQueue } from './due-queue.js';
import { HealthBoard } from './health-board.js';
import { HealthPoller } from './health-check.js';
import { type HealthContract, loadHealthContract } from './health-peer.js';
import type { ServerLoad } from './load-meter.js';
import { LoadProbe } from './load-probe.js';
import type { EffectiveServerOptions } from './options.js';
import {
  askedReport,
  encodeReport,
  OpenRcaService,
  ORCA_PACKAGE,
  ORCA_SERVICE,
  failureReport,
  orcaReport,
  REPORT_KEY,
} from './orca-proto.js';
import { orcaService } from './orca-service.js';
import { observeRegistration } from './registration.js';
import { loadReflection, type Reflection } from './reflection.js';
import type { SheddingState } from './shedder.js';
import { SheddingEpisodes } from './shedding-episodes.js';
import { type GrpcServerEvent, ServerEvents } from './server-events.js';
import type { ServerCallObserver } from './server-observer.js';
import { StreamAges } from './stream-ages.js';
import { ServerTls } from './tls/server-tls.js';

const HEALTH_SERVICE = 'grpc.health.v1.Health';

/**
 * The server side of load balancing: the health and load that a gRPC microservice reports, and its drain. Provided by
 * `GrpcServerModule`.
 */
@Injectable()
export class GrpcServer implements OnApplicationShutdown {
  /** What happens to the server, in order. It completes when the server has drained or the application shut down. */
  readonly events$: Observable<GrpcServerEvent>;
  readonly #events: ServerEvents;
  readonly #logger = new Logger('GrpcServer');
  readonly #admission: Admission;
  readonly #calls: CallTracker;
  readonly #probe: LoadProbe;
  readonly #board = new HealthBoard();
  /** By their services. */
  readonly #pollers = new Map<string, HealthPoller>();
  readonly #servers: Server[] = [];
  readonly #services = new Set<string>();
  readonly #moving = new AbortController();
  readonly #ages: StreamAges;
  readonly #aging = new DueQueue();
  readonly #loaded: PackageDefinition = {};
  #transports = 0;
  #health: HealthContract | undefined;
  #reflection: Reflection | undefined;
  #degraded: string | undefined;
  #drained: Promise<GrpcDrainReport> | undefined;
  readonly #tls: ServerTls | undefined;
  /** What ends each observation. */
  readonly #observed = new Set<() => void>();

  /** @internal `GrpcServerModule` and `grpcServer` create it. */
  constructor(
    /** @internal */
    readonly options: EffectiveServerOptions,
  ) {
    const { loadReports, shedding } = options;
    this.#events = new ServerEvents(options.onEvent);
    this.events$ = this.#events.events$;
    this.#admission = new Admission(options);
    this.#ages = new StreamAges(options.maxStreamAge);
    this.#calls = new CallTracker(
      this.#admission,
      this.#trailer,
      (loadReports ?? shedding) ? () => this.#probe.callArrived() : undefined,
      { queue: this.#aging, drawAge: (path) => this.#ages.draw(path), grace: options.maxStreamAge.grace },
    );
    if (options.tls) this.#tls = new ServerTls(options.tls, this.#logger, (event) => this.#events.emit(event));
    const { shedder } = this.#admission;
    const episodes = shedder && new SheddingEpisodes(shedder, this.#logger);
    if (options.observer) this.observe(options.observer);
    this.#probe = new LoadProbe(this.#calls, loadReports?.window ?? 5000, (turn, lag) => {
      shedder?.measured(turn, lag);
      episodes?.look();
    });
  }

  /** Whether the server drains: it reports NOT_SERVING and is about to close. */
  get draining(): boolean {
    return this.#drained !== undefined;
  }

  /**
   * Aborts when streams should move to another server: at the GOAWAY of a drain. A handler that ends its stream then
   * chooses its status; other streams end with UNAVAILABLE after `drain.streamGrace`.
   */
  get drainSignal(): AbortSignal {
    return this.#moving.signal;
  }

  /** The status of each service in `grpc.health.v1`; `''` is the whole server. */
  health(): Record<string, 'SERVING' | 'NOT_SERVING'> {
    return this.#board.statuses();
  }

  /**
   * Takes a service (full name, as in `orders.v1.Orders`) out of rotation, or puts it back; `''` is the whole server.
   * It is SERVING again only if its checks pass too.
   *
   * @throws GrpcLbArgumentError if the server has no such service. While a transport of the application does not listen
   *   yet, every name is accepted, and the start of the last one fails with that.
   */
  setServing(service: string, serving: boolean): void {
    if (this.#complete) this.#assertServed(service);
    this.#board.setServing(service, serving);
  }

  /**
   * Says that other servers should be preferred to this one, as while its replica lags, its cache is cold or its disk is
   * nearly full: balanced clients call it only while the healthy ones cannot carry all calls. It is told at the end of
   * every call, and clients forget it after ten seconds without a call. Unlike `setServing('', false)` it costs no call
   * where all servers are degraded.
   *
   * @param reason Shown in the clients' snapshots and logs, at most 200 characters of ASCII; false when it is over.
   * @throws GrpcLbArgumentError if the reason is neither a text nor false.
   */
  setDegraded(reason: string | false): void {
    if (reason !== false && typeof reason !== 'string')
      throw new GrpcLbArgumentError(
        `setDegraded: the reason is ${shown(reason)}; use a text that says why, as in 'the replica lags', or false when it is over`,
      );
    const before = this.#degraded;
    this.#degraded = reason === false ? undefined : degradedValue(reason);
    this.#calls.trailer = this.#trailer;
    if (this.#degraded === before) return;
    if (this.#degraded === undefined) this.#logger.log('No longer degraded');
    else this.#logger.warn(`Degraded, clients prefer other servers: ${this.#degraded || 'no reason given'}`);
  }

  /** The reason of `setDegraded`; undefined if the server is not degraded. */
  get degraded(): string | undefined {
    return this.#degraded;
  }

  /** The load that reports carry; all zero before the server listens. */
  load(): ServerLoad {
    return this.#probe.load();
  }

  /** Calls that the server refused without starting their handlers, since its start, by reason. */
  refused(): RefusedCalls {
    return this.#admission.refused;
  }

  /** What the server has shed; undefined if shedding is off. */
  shedding(): SheddingState | undefined {
    return this.#admission.shedder?.state;
  }

  /**
   * Drains the server without losing a call, and resolves when that is done. Nest calls it when the application closes,
   * also on SIGTERM with `enableShutdownHooks()`. Further calls return the same promise.
   */
  drain(): Promise<GrpcDrainReport> {
    return (this.#drained ??= this.#drain());
  }

  /** Called by Nest. */
  onApplicationShutdown(): void {
    this.#stop();
  }

  /**
   * Tells an observer of the calls that arrive from now on, beside the `observer` of the options. Health, reflection
   * and load reports are exempt.
   *
   * @returns A function that removes it.
   * @throws GrpcLbArgumentError if it is not an observer.
   */
  observe(observer: ServerCallObserver): () => void {
    requireObserver(observer);
    const remove = this.#calls.observers.add(observer, this);
    const end = (): void => {
      if (this.#observed.delete(end)) remove();
    };
    this.#observed.add(end);
    return end;
  }

  /** @internal A transport will listen. */
  addTransport(): void {
    this.#transports++;
  }

  /** @internal Whether any transport will listen. */
  get used(): boolean {
    return this.#transports > 0;
  }

  /** @internal Prepares what must exist before it listens. */
  async prepare(): Promise<void> {
    if (this.options.health) this.#health ??= await loadHealthContract();
    if (this.options.reflection) this.#reflection ??= await loadReflection();
    await this.#tls?.ready();
  }

  /** The certificates of the option `tls`; null without it. */
  tls(): ServerTlsSnapshot | null {
    return this.#tls?.snapshot() ?? null;
  }

  /** @internal Those of the option `tls`. */
  get credentials(): ServerCredentials | undefined {
    return this.#tls?.credentials;
  }

  /** @internal For the options of a server. */
  get interceptor(): CallTracker['interceptor'] {
    return this.#calls.interceptor;
  }

  /** @internal Called with each server before it has services. */
  created(server: Server): void {
    observeRegistration(server, this.#calls.registration);
    this.#tls?.watch(server);
  }

  /** @internal The age that `@MaxStreamAge` sets. */
  decorateStreamAge(service: string, method: string, age: number | false): void {
    this.#ages.decorate(service, method, age);
  }

  /** @internal Adds the server's own services to one that has those of the application. */
  attach(server: Server, loaded: PackageDefinition, services: readonly string[]): void {
    const { loadReports } = this.options;
    const own: string[] = [];
    const health = this.#health;
    if (health) {
      add('health', HEALTH_SERVICE, () => this.#board.service.addToServer(server, health.service));
      own.push(HEALTH_SERVICE);
    }
    if (loadReports?.outOfBand) {
      const service = orcaService(
        () => askedReport(this.load(), this.#admission.shedder?.utilization),
        loadReports.minInterval,
      );
      add('loadReports.outOfBand', ORCA_SERVICE, () => server.addService(OpenRcaService, service));
      own.push(ORCA_SERVICE);
    }
    const packages = { ...ORCA_PACKAGE, ...(health && loadSync(health.protoPath)), ...loaded };
    const reflect = this.#reflection;
    if (reflect) add('reflection', 'reflection', () => reflect(server, packages, [...services, ...own]));
    this.#servers.push(server);
    for (const [name, definition] of Object.entries(loaded)) this.#loaded[name] = definition;
    for (const service of services) this.#services.add(service);
    this.#board.add(services);
    if (this.#complete) this.#open();
  }

  /** All transports listen; called again when one has been connected since. */
  #open(): void {
    if (this.draining) return;
    const { health } = this.options;
    this.#ages.check(this.#loaded, this.#services);
    for (const service of this.#board.takenOut) this.#assertServed(service);
    for (const [service, checks] of Object.entries(health?.checks ?? {})) {
      if (this.#pollers.has(service)) continue;
      this.#assertServed(service);
      // Not serving before the first result.
      this.#board.setHealthy(service, false);
      const told = (healthy: boolean, reason: string): void => this.#checked(service, healthy, reason);
      const poller = new HealthPoller([checks].flat(), health!, told);
      this.#pollers.set(service, poller);
      poller.start();
    }
    this.#board.open(true);
    if (this.#probe.start()) this.#warnWithoutHooks();
  }

  #warnWithoutHooks(): void {
    if (process.listenerCount('SIGTERM') > 0) return;
    this.#logger.warn(
      'SIGTERM would end this process and its calls at once; call app.enableShutdownHooks() so that it drains',
    );
  }

  #checked(service: string, healthy: boolean, reason: string): void {
    const name = service || 'the server';
    if (healthy) this.#logger.log(`Health of ${name}: its checks pass`);
    else this.#logger.warn(`Health of ${name}: NOT_SERVING, a check failed: ${reason}`);
    this.#board.setHealthy(service, healthy);
  }

  async #drain(): Promise<GrpcDrainReport> {
    const { delay } = this.options.drain;
    const listening = this.#servers.length > 0;
    if (listening) {
      this.#logger.log(`Draining: NOT_SERVING now, GOAWAY in ${delay} ms; calls in flight: ${this.#calls.inFlight}`);
    }
    const drained = {
      servers: this.#servers,
      calls: this.#calls,
      tellNotServing: () => this.#board.open(false),
      tellStreams: () => this.#moving.abort(),
    };
    const report = await drain(drained, { ...this.options.drain, delay: listening ? delay : 0 });
    this.#stop();
    const { duration, finished, streamsLeft, streamsMoved, cut } = report;
    const streams = `streams left by their clients: ${streamsLeft}, ended so that they move: ${streamsMoved}`;
    const text = `Drained in ${duration} ms; calls finished: ${finished}, cut: ${cut}; ${streams}`;
    if (cut > 0) this.#logger.warn(text);
    else if (listening) this.#logger.log(text);
    return report;
  }

  #stop(): void {
    this.#tls?.stop();
    this.#events.complete();
    this.#probe.stop();
    this.#aging.clear();
    for (const poller of this.#pollers.values()) poller.stop();
    for (const end of this.#observed) end();
  }

  /** What the end of each call says of this server; undefined if nothing. */
  get #trailer(): CallTracker['trailer'] {
    const reports = this.options.loadReports?.trailer === true;
    const degraded = this.#degraded;
    if (degraded === undefined) return reports ? (metadata) => this.#withReport(metadata) : undefined;
    return (metadata) => {
      const trailer = reports ? this.#withReport(metadata) : (metadata?.clone() ?? new Metadata());
      trailer.set(DEGRADED_KEY, degraded);
      return trailer;
    };
  }

  /**
   * gRFC A51: the report of a call wins over that of the server. In two concatenated messages the fields of the second
   * win, and maps are merged: that is how protobuf merges.
   */
  #withReport(metadata: Metadata | null | undefined): Metadata {
    const trailer = metadata?.clone() ?? new Metadata();
    const ofCall = trailer.get(REPORT_KEY) as Buffer[];
    const load = this.load();
    const report = encodeReport(orcaReport(load, this.#admission.shedder?.utilization));
    // What a handler passes on of a server that it has called must not make this one look as if it failed everything.
    if (ofCall.length > 0) ofCall.push(encodeReport(failureReport(load)));
    trailer.set(REPORT_KEY, Buffer.concat([report, ...ofCall]));
    return trailer;
  }

  /** Whether all services are known. */
  get #complete(): boolean {
    return this.#servers.length > 0 && this.#servers.length === this.#transports;
  }

  #assertServed(service: string): void {
    if (service === '' || this.#services.has(service)) return;
    const known = [...this.#services].join(', ');
    throw new GrpcLbArgumentError(
      `the server has no service "${service}"; use one of ${known}, or '' for the whole server`,
    );
  }
}

/** A method that exists already belongs to a service that the application serves itself. */
function add(option: string, service: string, addToServer: () => void): void {
  try {
    addToServer();
  } catch (cause) {
    const text = `the application already serves ${service} (perhaps in onLoadPackageDefinition)`;
    throw new GrpcLbConflictError(`${text}; remove that service, or set ${option}: false`, { cause });
  }
}
