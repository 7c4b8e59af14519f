import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { boolean, type Check, fields, integer, isObject, shown } from '../core/options/validation.js';
import type { HealthCheck } from './health-check.js';
import { type ServerTlsOptions, serverTlsCheck } from '../tls/options.js';
import { serverTlsFaults } from './tls/server-tls-faults.js';
import type { GrpcServerEventListener } from './server-events.js';
import type { ServerCallObserver } from './server-observer.js';
import {
  effectiveStreamAge,
  type EffectiveStreamAge,
  type GrpcStreamAgeOptions,
  streamAgeCheck,
} from './stream-age-options.js';

/** The checks that decide whether a service is SERVING. */
export interface GrpcHealthOptions {
  /**
   * Checks by full service name, as in `'orders.v1.Orders'`; those of `''` apply to the whole server. A service without
   * a check is SERVING as long as the server is.
   *
   * @default none
   */
  readonly checks?: Readonly<Record<string, HealthCheck | readonly HealthCheck[]>>;
  /**
   * Milliseconds between the end of a check and its next start, ± 20 %, 50 to 3600000.
   *
   * @default 5000
   */
  readonly interval?: number;
  /**
   * Timeout of a check in milliseconds, 10 to 600000.
   *
   * @default 3000
   */
  readonly timeout?: number;
  /**
   * Consecutive failures that make a service NOT_SERVING, 1 to 100; one success makes it SERVING again.
   *
   * @default 2
   */
  readonly failureThreshold?: number;
}

/** How the server drains. */
export interface GrpcDrainOptions {
  /**
   * Milliseconds between NOT_SERVING and the GOAWAY, in which calls are still served, 0 to 600000. Clients that watch
   * health need one round trip and a turn of their event loop. If clients learn it from an orchestrator or from DNS,
   * use as long as that takes (Kubernetes: 5000 to 15000).
   *
   * @default 500
   */
  readonly delay?: number;
  /**
   * Milliseconds that response streams may continue after the GOAWAY, 0 to 3600000, so that clients can move them; then
   * they end with UNAVAILABLE, and their clients reopen them elsewhere.
   *
   * @default 5000
   */
  readonly streamGrace?: number;
  /**
   * Milliseconds over which the streams that are left then end, 0 to 3600000, in random order: clients that open them
   * again at once would overload the other servers. Fewer than a hundred streams a second take less, and `timeout` bounds
   * it.
   *
   * @default 5000
   */
  readonly streamSpread?: number;
  /**
   * Milliseconds that all other calls may continue after the GOAWAY, 0 to 3600000; then they end with UNAVAILABLE.
   * Streams of requests end within the last `streamSpread` of it. Kubernetes kills a pod after 30 s.
   *
   * @default 25000
   */
  readonly timeout?: number;
}

/** The maximum age of connections (gRFC A9), to which grpc-js applies ± 10 %. */
export interface GrpcConnectionOptions {
  /**
   * Milliseconds after which a connection gets a GOAWAY, 1000 to 86400000.
   *
   * @default never
   */
  readonly maxAge?: number;
  /**
   * Milliseconds that its calls may continue after that, 0 to 86400000; then they are reset without a status, and the
   * connection closes.
   *
   * @default unlimited
   */
  readonly maxAgeGrace?: number;
}

/** The load reports of the server (ORCA). */
export interface GrpcLoadReportOptions {
  /**
   * Whether each call carries a report in its trailer.
   *
   * @default true
   */
  readonly trailer?: boolean;
  /**
   * Whether the server offers `xds.service.orca.v3.OpenRcaService`, for clients that request periodic reports.
   *
   * @default true
   */
  readonly outOfBand?: boolean;
  /**
   * Window of rates and utilization in milliseconds, 500 to 300000.
   *
   * @default 5000
   */
  readonly window?: number;
  /**
   * Minimum milliseconds between out-of-band reports, whatever the client requests, 10 to 3600000.
   *
   * @default 1000
   */
  readonly minInterval?: number;
}

/** What the server makes of the deadlines of its calls. */
export interface GrpcServerDeadlineOptions {
  /**
   * Whether the calls of balanced clients that a handler makes end with the call that it serves: no later than its
   * deadline, and when it is cancelled. Clients, methods and calls may opt out (`deadline.inherit`, `inherit`).
   *
   * @default true
   */
  readonly propagate?: boolean;
  /**
   * Whether a call is refused at once, with DEADLINE_EXCEEDED, if less time is left than half of the calls of its method
   * lately took (p50, after 50 calls; forgotten after a minute without a call). One of ten such calls is served, so that
   * a method that has become faster is noticed.
   *
   * @default false
   */
  readonly refuseHopeless?: boolean;
}

/** When the server sheds load: refuses calls that it cannot bear, before their requests are decoded. */
export interface GrpcSheddingOptions {
  /**
   * Milliseconds that the event loop may be late, 1 to 10000; if one call takes more than a quarter of that, four times
   * as long as it takes. If the loop is later for a tenth of a second, the server learns how many calls at a time it can
   * bear, and refuses others.
   *
   * @default 20
   */
  readonly maxEventLoopDelay?: number;
  /**
   * Calls that are worked on at a time, without streams: `auto` for as many as the event loop bears, or a number, 1 to
   * 1000000, beyond which no call starts either. `sheddable_plus` calls may use three quarters of a number, `sheddable`
   * ones half of it. A call counts until it is answered or its caller has gone, even if its handler then still runs.
   *
   * @default `auto`
   */
  readonly maxConcurrent?: number | 'auto';
  /**
   * Whether callers may claim that their calls are `critical_plus`. With `false` such a claim counts as `critical`, here
   * and in the calls that handlers make: for servers that strangers can reach.
   *
   * @default true
   */
  readonly trustCriticality?: boolean;
}

/** `GrpcSheddingOptions` with the defaults. */
export type EffectiveSheddingOptions = Required<GrpcSheddingOptions>;

/** Options of the server side. */
export interface GrpcServerOptions {
  /**
   * `grpc.health.v1.Health`.
   *
   * @default true; false if the application serves its own
   */
  readonly health?: boolean | GrpcHealthOptions;
  /**
   * Server reflection (v1 and v1alpha), with `@grpc/reflection`.
   *
   * @default false
   */
  readonly reflection?: boolean;
  /**
   * How the server drains.
   *
   * @default `{}`
   */
  readonly drain?: GrpcDrainOptions;
  /**
   * The maximum age of connections.
   *
   * @default `{}`: no maximum
   */
  readonly connection?: GrpcConnectionOptions;
  /**
   * The maximum age of streams, in milliseconds (1000 to 604800000) ± 10 %, or details, also by method. Then a stream ends
   * with UNAVAILABLE, and its client opens it again, on a server of its choice. The other calls of its connection go on.
   *
   * @default never
   */
  readonly maxStreamAge?: number | GrpcStreamAgeOptions;
  /**
   * Load reports.
   *
   * @default true
   */
  readonly loadReports?: boolean | GrpcLoadReportOptions;
  /**
   * What the server makes of the deadlines of its calls.
   *
   * @default `{}`
   */
  readonly deadlines?: GrpcServerDeadlineOptions;
  /**
   * TLS with certificates that may change while the server runs. Cannot be set together with `credentials` of the
   * transport.
   *
   * @default none
   */
  readonly tls?: ServerTlsOptions;
  /**
   * Whether and when the server sheds load. Health, reflection and load reports are exempt.
   *
   * @default false
   */
  readonly shedding?: boolean | GrpcSheddingOptions;
  /**
   * Is told of each call, except those of health, reflection and load reports.
   *
   * @default none
   */
  readonly observer?: ServerCallObserver;
  /**
   * Receives the events of the server, as `GrpcServer.events$` does. What it throws or rejects with becomes a warning of
   * the process.
   *
   * @default none
   */
  readonly onEvent?: GrpcServerEventListener;
}

/** The same with every default filled in. */
export interface EffectiveServerOptions {
  readonly health: Required<GrpcHealthOptions> | undefined;
  readonly reflection: boolean;
  readonly drain: Required<GrpcDrainOptions>;
  readonly connection: GrpcConnectionOptions;
  readonly maxStreamAge: EffectiveStreamAge;
  readonly loadReports: Required<GrpcLoadReportOptions> | undefined;
  readonly deadlines: Required<GrpcServerDeadlineOptions>;
  readonly tls: ServerTlsOptions | undefined;
  readonly shedding: EffectiveSheddingOptions | undefined;
  readonly observer: ServerCallObserver | undefined;
  readonly onEvent: GrpcServerEventListener | undefined;
}

const HOUR = 3_600_000;

function milliseconds(min: number, max: number): Check {
  return integer({ min, max, unit: 'milliseconds' });
}

/** `true` for the defaults, `false` for off, or details. */
function switchable(check: Check): Check {
  return (path, value, faults) => {
    if (typeof value !== 'boolean') check(path, value, faults);
  };
}

const checksCheck: Check = (path, value, faults) => {
  if (!isObject(value)) {
    faults.push({ path, message: `is ${shown(value)}; use an object of functions by service name` });
    return;
  }
  for (const [service, checks] of Object.entries(value)) {
    for (const check of [checks].flat()) {
      if (typeof check === 'function') continue;
      faults.push({
        path: `${path}['${service}']`,
        message: `is ${shown(check)}; use a function, or a list of functions`,
      });
    }
  }
};

const observerCheck: Check = (path, value, faults) => {
  if (isObject(value) && typeof (value as Partial<ServerCallObserver>).callStarted === 'function') return;
  faults.push({ path, message: `is ${shown(value)}; use an object with a method callStarted` });
};

const listenerCheck: Check = (path, value, faults) => {
  if (typeof value !== 'function') faults.push({ path, message: `is ${shown(value)}; use a function` });
};

const maxConcurrentCheck: Check = (path, value, faults) => {
  if (value === 'auto') return;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1_000_000) return;
  faults.push({ path, message: `is ${shown(value)}; use 'auto', or a whole number from 1 to 1000000` });
};

const optionsCheck = fields({
  health: switchable(
    fields({
      checks: checksCheck,
      interval: milliseconds(50, HOUR),
      timeout: milliseconds(10, 600_000),
      failureThreshold: integer({ min: 1, max: 100 }),
    }),
  ),
  reflection: boolean,
  drain: fields({
    delay: milliseconds(0, 600_000),
    streamGrace: milliseconds(0, HOUR),
    streamSpread: milliseconds(0, HOUR),
    timeout: milliseconds(0, HOUR),
  }),
  connection: fields({ maxAge: milliseconds(1000, 24 * HOUR), maxAgeGrace: milliseconds(0, 24 * HOUR) }),
  maxStreamAge: streamAgeCheck,
  loadReports: switchable(
    fields({
      trailer: boolean,
      outOfBand: boolean,
      window: milliseconds(500, 300_000),
      minInterval: milliseconds(10, HOUR),
    }),
  ),
  deadlines: fields({ propagate: boolean, refuseHopeless: boolean }),
  tls: serverTlsCheck,
  shedding: switchable(
    fields({
      maxEventLoopDelay: milliseconds(1, 10_000),
      maxConcurrent: maxConcurrentCheck,
      trustCriticality: boolean,
    }),
  ),
  observer: observerCheck,
  onEvent: listenerCheck,
});

/** @throws GrpcLbOptionsError that lists all faults. */
export function effectiveServerOptions(subject: string, options: GrpcServerOptions): EffectiveServerOptions {
  const faults: Fault[] = [];
  optionsCheck('', options, faults);
  if (faults.length === 0 && options.tls) faults.push(...serverTlsFaults(options.tls));
  if (faults.length > 0) throw new GrpcLbOptionsError(subject, faults);
  const { drain, connection, maxStreamAge, reflection, deadlines, tls, observer, onEvent } = options;
  const health = details(options.health);
  const loadReports = details(options.loadReports);
  // Off by default: a server that begins to refuse calls should not surprise anyone.
  const shedding = details(options.shedding ?? false);
  return {
    health: health && {
      checks: health.checks ?? {},
      interval: health.interval ?? 5000,
      timeout: health.timeout ?? 3000,
      failureThreshold: health.failureThreshold ?? 2,
    },
    reflection: reflection ?? false,
    drain: {
      delay: drain?.delay ?? 500,
      streamGrace: drain?.streamGrace ?? 5000,
      streamSpread: drain?.streamSpread ?? 5000,
      timeout: drain?.timeout ?? 25_000,
    },
    connection: connection ?? {},
    maxStreamAge: effectiveStreamAge(maxStreamAge),
    loadReports: loadReports && {
      trailer: loadReports.trailer ?? true,
      outOfBand: loadReports.outOfBand ?? true,
      window: loadReports.window ?? 5000,
      minInterval: loadReports.minInterval ?? 1000,
    },
    deadlines: { propagate: deadlines?.propagate ?? true, refuseHopeless: deadlines?.refuseHopeless ?? false },
    tls,
    shedding: shedding && {
      maxEventLoopDelay: shedding.maxEventLoopDelay ?? 20,
      maxConcurrent: shedding.maxConcurrent ?? 'auto',
      trustCriticality: shedding.trustCriticality ?? true,
    },
    observer,
    onEvent,
  };
}

/** An option that is on, off, or has details. */
function details<T extends object>(option: boolean | T | undefined): Partial<T> | undefined {
  if (option === false) return undefined;
  return typeof option === 'object' ? option : {};
}
