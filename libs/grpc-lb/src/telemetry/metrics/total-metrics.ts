import type { ClientSnapshot } from '../../core/snapshot.js';
import type { Collection } from './collection.js';
import type { Labels } from './series.js';

/** What happened to a client since its start, as metrics. */
export function collectTotals(snapshot: ClientSnapshot, labels: Labels, add: Collection['add']): void {
  const { totals, loadBalancing } = snapshot;
  const target = { 'grpc.target': labels['grpc.target']! };
  let closed = 0;
  for (const [reason, count] of Object.entries(totals.connectionsClosed)) {
    closed += count;
    add('grpc.subchannel.disconnections', { ...target, 'grpc.disconnect_error': reason }, count);
  }
  add('grpc.subchannel.connection_attempts_succeeded', target, totals.connectionsOpened);
  add('grpc.subchannel.connection_attempts_failed', target, totals.connectionAttemptsFailed);
  add('grpc.subchannel.open_connections', target, totals.connectionsOpened - closed);

  for (const [result, count] of Object.entries(totals.tlsHandshakes))
    add('grpc.client.tls.handshakes', { ...target, 'grpc.tls.handshake.result': result }, count);

  for (const [method, count] of Object.entries(totals.ejections)) {
    const by = { ...target, 'grpc.lb.outlier_detection.detection_method': method };
    add('grpc.lb.outlier_detection.ejections_enforced', by, count);
  }
  for (const { method, obstacle, count } of totals.ejectionsPrevented) {
    const by = {
      ...target,
      'grpc.lb.outlier_detection.detection_method': method,
      'grpc.lb.outlier_detection.unenforced_reason': obstacle,
    };
    add('grpc.lb.outlier_detection.ejections_unenforced', by, count);
  }
  if (totals.ejectionsWithdrawn > 0) add('grpc.lb.ejections_withdrawn', labels, totals.ejectionsWithdrawn);

  add('grpc.lb.suspects', labels, totals.suspects);
  add('grpc.lb.pings', labels, totals.pings);
  if (loadBalancing?.retry ?? loadBalancing?.hedge) {
    add('grpc.lb.retries_granted', labels, totals.retriesGranted);
    for (const by of ['budget', 'throttle'] as const)
      add('grpc.lb.retries_denied', { ...labels, 'grpc.lb.denied_by': by }, totals.retriesDenied[by]);
  }
  for (const [level, count] of Object.entries(totals.attemptsShed))
    add('grpc.lb.shed', { ...labels, 'grpc.lb.criticality': level }, count);
  if (totals.streamsResumed > 0) add('grpc.lb.streams_resumed', labels, totals.streamsResumed);
  if (totals.loadReportsRejected > 0) add('grpc.lb.load_reports_rejected', labels, totals.loadReportsRejected);
  add('grpc.lb.watches_backed_off', { ...labels, 'grpc.lb.watch': 'health' }, totals.watchesBackedOff.health);
  if (totals.watchesBackedOff.loadReports > 0) {
    const watch = { ...labels, 'grpc.lb.watch': 'load_reports' };
    add('grpc.lb.watches_backed_off', watch, totals.watchesBackedOff.loadReports);
  }
}
