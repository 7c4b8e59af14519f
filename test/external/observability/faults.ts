import { SERIES } from './series.js';

const { calls, answers, endpoints, pending, waits } = SERIES;

/** One fault for each alert: how the series look meanwhile, and when it fires, in minutes after the begin of the fault. */
export interface Fault {
  readonly alert: string;
  readonly what: string;
  readonly changes: Readonly<Record<string, number>>;
  /** Silent at the first minute, fires at the second. */
  readonly silent: number;
  readonly fires: number;
  /** Two hours after the fault. Default: none. */
  readonly afterwards?: readonly string[];
}

export const FAULTS: readonly Fault[] = [
  {
    alert: 'GrpcClientErrorBudgetBurn',
    what: 'one call of twenty of a client fails',
    changes: { [calls('UNAVAILABLE')]: 3000 },
    silent: 5,
    fires: 40,
    // What is spent is spent.
    afterwards: ['GrpcClientErrorBudgetBurnSlow'],
  },
  {
    alert: 'GrpcServerErrorBudgetBurn',
    what: 'one answer of twenty of the servers is an error',
    changes: { [answers('INTERNAL')]: 3000 },
    silent: 5,
    fires: 40,
    // What is spent is spent.
    afterwards: ['GrpcServerErrorBudgetBurnSlow'],
  },
  {
    alert: 'GrpcLbClientFailing',
    what: 'no backend can be reached, and nobody calls',
    changes: {
      [SERIES.failing]: 1,
      [SERIES.ready]: 0,
      [endpoints('ready')]: 0,
      [endpoints('transient_failure')]: 5,
    },
    silent: 1,
    fires: 3,
  },
  {
    alert: 'GrpcLbAllEjected',
    what: 'one backend is ejected, and the others cannot be reached',
    changes: {
      [SERIES.panic]: 1,
      [endpoints('ready')]: 0,
      [endpoints('ejected')]: 1,
      [endpoints('transient_failure')]: 4,
    },
    silent: 1,
    fires: 3,
  },
  {
    alert: 'GrpcLbPanic',
    what: 'four of five backends report NOT_SERVING',
    changes: { [SERIES.panic]: 1, [endpoints('ready')]: 1, [endpoints('not_serving')]: 4 },
    silent: 1,
    fires: 3,
  },
  {
    alert: 'GrpcLbBackendDown',
    what: 'one backend of five refuses connections',
    changes: { [endpoints('ready')]: 4, [endpoints('transient_failure')]: 1 },
    silent: 4,
    fires: 6,
  },
  {
    alert: 'GrpcLbBackendHangs',
    what: 'one backend of five does not answer PINGs',
    changes: { [endpoints('ready')]: 4, [endpoints('suspect')]: 1, [SERIES.suspects]: 1 },
    silent: 1,
    fires: 4,
  },
  {
    alert: 'GrpcLbBackendNotServing',
    what: 'one backend of five reports NOT_SERVING',
    changes: { [endpoints('ready')]: 4, [endpoints('not_serving')]: 1 },
    silent: 4,
    fires: 6,
  },
  {
    alert: 'GrpcLbBackendEjected',
    what: 'one backend of five is ejected',
    changes: { [endpoints('ready')]: 4, [endpoints('ejected')]: 1 },
    silent: 4,
    fires: 8,
  },
  {
    alert: 'GrpcLbDiscoveryStale',
    what: 'the name server does not answer',
    changes: { [SERIES.up]: 0, [SERIES.stale]: 300 },
    silent: 4,
    fires: 6,
  },
  {
    alert: 'GrpcLbDiscoveryFailed',
    what: 'the name has never resolved',
    changes: { [SERIES.up]: 0, [SERIES.found]: 0, [SERIES.failing]: 1, [SERIES.ready]: 0, [endpoints('ready')]: 0 },
    silent: 1,
    fires: 3,
  },
  {
    alert: 'GrpcLbClusterIp',
    what: 'the Service is not headless',
    changes: { [SERIES.clusterIp]: 1, [SERIES.found]: 1, [endpoints('ready')]: 1 },
    silent: 9,
    fires: 11,
  },
  {
    alert: 'GrpcLbBackendPinned',
    what: 'one backend of five gets 90 % of the calls',
    changes: { [SERIES.largestShare]: 4.5 },
    silent: 9,
    fires: 11,
  },
  {
    alert: 'GrpcLbPoolSaturated',
    what: 'one call of twenty waits for a stream',
    changes: { [waits('stream_limit')]: 3000 },
    silent: 4,
    fires: 10,
  },
  {
    alert: 'GrpcLbPoolSaturated',
    what: 'calls wait for a stream, and none gets one',
    changes: { [pending('stream_limit')]: 80 },
    silent: 4,
    fires: 10,
  },
  {
    alert: 'GrpcLbCallsRefused',
    what: 'more calls wait than maxPending',
    changes: { [SERIES.dropped]: 60 },
    silent: 1,
    fires: 4,
  },
  {
    alert: 'GrpcLbBackendsShed',
    what: 'one critical attempt of twenty is shed',
    changes: { [SERIES.shed]: 3000 },
    silent: 4,
    fires: 10,
  },
  {
    alert: 'GrpcLbThrottled',
    what: 'a method is throttled',
    changes: { [SERIES.throttleOpen]: 1 },
    silent: 1,
    fires: 4,
  },
  {
    alert: 'GrpcLbRetriesDenied',
    what: 'the retry budget is spent',
    changes: { [SERIES.granted]: 600, [SERIES.denied]: 600 },
    silent: 4,
    fires: 8,
  },
  {
    alert: 'GrpcLbKeepaliveOff',
    what: 'keepalive is off',
    changes: { [SERIES.keepalive]: 0 },
    silent: 9,
    fires: 11,
  },
  {
    alert: 'GrpcLbCertificateExpires',
    what: 'nothing renews the certificate of a client',
    changes: { [SERIES.certificateExpiring]: 1 },
    silent: 9,
    fires: 11,
  },
  {
    alert: 'GrpcLbCertificatesRejected',
    what: 'the new key does not fit the new certificate',
    changes: { [SERIES.certificatesUp]: 0 },
    silent: 4,
    fires: 6,
  },
  {
    alert: 'GrpcServerCertificateExpires',
    what: 'nothing renews the certificate of a server',
    changes: { [SERIES.serverCertificateExpiring]: 1 },
    silent: 9,
    fires: 11,
  },
  {
    alert: 'GrpcServerCertificatesRejected',
    what: "the server's new key does not fit its new certificate",
    changes: { [SERIES.serverCertificatesUp]: 0 },
    silent: 4,
    fires: 6,
  },
];
