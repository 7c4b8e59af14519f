import { fromJSON, type ServiceDefinition } from '@grpc/proto-loader';
import { CALL_DURATION } from '../core/load/reported-duration.js';
import { FAILURES_IN_A_ROW, IDLE_TIME } from '../core/load/reported-failures.js';
import { type ServerLoad, utilizationOf } from './load-meter.js';

/** The part of xds.data.orca.v3.OrcaLoadReport that is used here. */
export interface OrcaLoadReport {
  readonly cpu_utilization: number;
  readonly application_utilization: number;
  readonly rps_fractional: number;
  readonly eps: number;
  readonly utilization: Readonly<Record<string, number>>;
  readonly named_metrics: Readonly<Record<string, number>>;
}

const inPackage = (name: string, content: object): object =>
  name.split('.').reduceRight<object>((nested, part) => ({ [part]: { nested } }), content);

const data = inPackage('data.orca.v3', {
  OrcaLoadReport: {
    fields: {
      cpu_utilization: { type: 'double', id: 1 },
      mem_utilization: { type: 'double', id: 2 },
      rps: { type: 'uint64', id: 3 },
      request_cost: { keyType: 'string', type: 'double', id: 4 },
      utilization: { keyType: 'string', type: 'double', id: 5 },
      rps_fractional: { type: 'double', id: 6 },
      eps: { type: 'double', id: 7 },
      named_metrics: { keyType: 'string', type: 'double', id: 8 },
      application_utilization: { type: 'double', id: 9 },
    },
  },
});

const service = inPackage('service.orca.v3', {
  OpenRcaService: {
    methods: {
      StreamCoreMetrics: {
        requestType: 'OrcaLoadReportRequest',
        responseType: 'xds.data.orca.v3.OrcaLoadReport',
        responseStream: true,
      },
    },
  },
  OrcaLoadReportRequest: {
    fields: {
      report_interval: { type: 'google.protobuf.Duration', id: 1 },
      request_cost_names: { rule: 'repeated', type: 'string', id: 2 },
    },
  },
});

const google = inPackage('protobuf', {
  Duration: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } },
});

/**
 * The schema of cncf/xds, written out here: the recorder of grpc-js reads it from disk and parses it again for every
 * call (16 ms each with grpc-js 1.14).
 */
export const ORCA_PACKAGE = fromJSON(
  { nested: { xds: { nested: { ...data, ...service } }, google: { nested: google as never } } },
  { keepCase: true, longs: Number, defaults: true },
);

export const ORCA_SERVICE = 'xds.service.orca.v3.OpenRcaService';

export const OpenRcaService = ORCA_PACKAGE[ORCA_SERVICE] as ServiceDefinition;

/** Where a client finds the report of a call (gRFC A51). */
export const REPORT_KEY = 'endpoint-load-metrics-bin';

export function encodeReport(report: Partial<OrcaLoadReport>): Buffer {
  return OpenRcaService['StreamCoreMetrics']!.responseSerialize(report);
}

/**
 * The weights of gRFC A58 use `application_utilization` before `cpu_utilization`. It describes the limit of a Node
 * server: the one thread of its event loop.
 *
 * @param concurrency Calls that are worked on, as a share of the limit; 0 without a limit.
 */
export function orcaReport(load: ServerLoad, concurrency = 0): OrcaLoadReport {
  return {
    cpu_utilization: load.cpuUtilization,
    application_utilization: utilizationOf(load, concurrency),
    rps_fractional: load.callsPerSecond,
    eps: load.errorsPerSecond,
    utilization: { event_loop: load.eventLoopUtilization, ...(concurrency > 0 && { concurrency }) },
    named_metrics: {
      in_flight: load.inFlight,
      event_loop_lag_ms: load.eventLoopLag,
      event_loop_lag_now_ms: load.eventLoopLagNow,
      ...(load.callDuration > 0 && { [CALL_DURATION]: load.callDuration }),
      ...(load.failuresInARow > 0 && failureMetrics(load)),
      ...(load.shedPerSecond > 0 && { shed_per_second: load.shedPerSecond }),
    },
  };
}

/**
 * For clients that ask: whether the last calls failed, of all clients, and when they ended. In trailers only while they
 * do, so that others do not cost more.
 */
export function askedReport(load: ServerLoad, concurrency = 0): OrcaLoadReport {
  const report = orcaReport(load, concurrency);
  return { ...report, named_metrics: { ...report.named_metrics, ...failureMetrics(load) } };
}

/** Only the failures in a row, to be merged over a report whose others may be wrong. */
export function failureReport(load: ServerLoad): Partial<OrcaLoadReport> {
  return { named_metrics: failureMetrics(load) };
}

function failureMetrics({ failuresInARow, idleTime }: ServerLoad): Readonly<Record<string, number>> {
  return { [FAILURES_IN_A_ROW]: failuresInARow, [IDLE_TIME]: idleTime };
}
