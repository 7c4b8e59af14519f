import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { boolean, type Check, fields, integer, isObject, shown } from '../core/options/validation.js';
import type { HealthCheck } from './health-check.js';

/** The checks that decide whether a service is SERVING, and when they run. */
export interface GrpcHealthOptions {
  /**
   * Checks by full name of the service, as in `'orders.v1.Orders'`; those of `''` concern the whole server. A service
   * without a check is well as long as the server is. Default: none.
   */
  readonly checks?: Readonly<Record<string, HealthCheck | readonly HealthCheck[]>>;
  /** Milliseconds between the end of a check and its next start, ± 20 %, 50 to 3600000. Default 5000. */
  readonly interval?: number;
  /** Milliseconds after which a check counts as failed, 10 to 600000. Default 3000. */
  readonly timeout?: number;
  /** Failures in a row that make a service NOT_SERVING, 1 to 100; one success ends it. Default 2. */
  readonly failureThreshold?: number;
}

/** How the server leaves. */
export interface GrpcDrainOptions {
  /**
   * Milliseconds between telling NOT_SERVING and the GOAWAY, in which calls are still served, 0 to 600000. Default 500:
   * clients that watch health need one trip over the network and a turn of their event loop. Where clients learn it
   * from an orchestrator or from DNS, as long as that takes (Kubernetes: 5000 to 15000).
   */
  readonly delay?: number;
  /**
   * Milliseconds that streams of responses may go on after the GOAWAY, 0 to 3600000; then they end with UNAVAILABLE, and
   * their clients open them elsewhere. Default 5000.
   */
  readonly streamGrace?: number;
  /**
   * Milliseconds that all other calls may go on after the GOAWAY, 0 to 3600000; then they end with UNAVAILABLE. Default
   * 25000: Kubernetes kills after 30 s.
   */
  readonly timeout?: number;
}

/** How long a connection lives; the options of gRFC A9, which grpc-js spreads over ± 10 %. */
export interface GrpcConnectionOptions {
  /** Milliseconds after which a connection is told to go (GOAWAY), 1000 to 86400000. Default: never. */
  readonly maxAge?: number;
  /** Milliseconds that its calls may go on after that, 0 to 86400000; then it is cut. Default: without end. */
  readonly maxAgeGrace?: number;
}

/** What the server tells of its load (ORCA). */
export interface GrpcLoadReportOptions {
  /** A report in the trailer of each call. Default true. */
  readonly trailer?: boolean;
  /** `xds.service.orca.v3.OpenRcaService`, for clients that ask for reports now and then. Default true. */
  readonly outOfBand?: boolean;
  /** Milliseconds over which rates and utilization are taken, 500 to 300000. Default 5000. */
  readonly window?: number;
  /** Milliseconds between two out-of-band reports at least, whatever the client asks for, 10 to 3600000. Default 1000. */
  readonly minInterval?: number;
}

/** The server's half of load balancing. */
export interface GrpcServerOptions {
  /** `grpc.health.v1.Health`. Default true; false where the application serves its own. */
  readonly health?: boolean | GrpcHealthOptions;
  /** Server reflection (v1 and v1alpha), with `@grpc/reflection`. Default false. */
  readonly reflection?: boolean;
  readonly drain?: GrpcDrainOptions;
  readonly connection?: GrpcConnectionOptions;
  /** Default true. */
  readonly loadReports?: boolean | GrpcLoadReportOptions;
}

/** The same with every default filled in. */
export interface EffectiveServerOptions {
  readonly health: Required<GrpcHealthOptions> | undefined;
  readonly reflection: boolean;
  readonly drain: Required<GrpcDrainOptions>;
  readonly connection: GrpcConnectionOptions;
  readonly loadReports: Required<GrpcLoadReportOptions> | undefined;
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
    timeout: milliseconds(0, HOUR),
  }),
  connection: fields({ maxAge: milliseconds(1000, 24 * HOUR), maxAgeGrace: milliseconds(0, 24 * HOUR) }),
  loadReports: switchable(
    fields({
      trailer: boolean,
      outOfBand: boolean,
      window: milliseconds(500, 300_000),
      minInterval: milliseconds(10, HOUR),
    }),
  ),
});

/** @throws GrpcLbOptionsError that lists all the faults. */
export function effectiveServerOptions(subject: string, options: GrpcServerOptions): EffectiveServerOptions {
  const faults: Fault[] = [];
  optionsCheck('', options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError(subject, faults);
  const { drain, connection, reflection } = options;
  const health = details(options.health);
  const loadReports = details(options.loadReports);
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
      timeout: drain?.timeout ?? 25_000,
    },
    connection: connection ?? {},
    loadReports: loadReports && {
      trailer: loadReports.trailer ?? true,
      outOfBand: loadReports.outOfBand ?? true,
      window: loadReports.window ?? 5000,
      minInterval: loadReports.minInterval ?? 1000,
    },
  };
}

/** What is on by default, and may be switched off. */
function details<T extends object>(option: boolean | T | undefined): Partial<T> | undefined {
  if (option === false) return undefined;
  return typeof option === 'object' ? option : {};
}
