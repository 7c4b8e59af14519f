import type { LbEvent } from 'nestjs-grpc-lb';

/** An event as a sentence; null if the table shows it anyway. */
export function eventText(event: LbEvent): string | null {
  switch (event.type) {
    case 'client_state':
      return `the client went from ${event.from} to ${event.to}${event.reason ? `: ${event.reason}` : ''}`;
    case 'endpoint_state':
      return `${event.address} went from ${event.from} to ${event.to}${event.reason ? `: ${event.reason}` : ''}`;
    case 'discovery_failed':
      return `discovery failed: ${event.error}`;
    case 'discovery_recovered':
      return 'discovery answers again';
    case 'failover':
      return `${Math.round(event.share * 100)} % of calls go to priority ${event.priority}`;
    case 'discovery_warning':
      return `discovery: ${event.warning}`;
    case 'pool_saturated':
      return `every connection is full: ${event.pending} calls wait`;
    case 'call_rejected':
      return `a call was rejected: ${event.maxPending} calls are already pending`;
    case 'panic':
      return event.on
        ? `panic: only ${event.healthy} of ${event.connected} endpoints are healthy, so all are used`
        : 'panic ended: enough endpoints are healthy';
    case 'configured':
      return 'new load-balancing options are in force';
    case 'load_reports_not_offered':
      return 'a backend does not report its load out of band';
    case 'load_report_rejected':
      return `load reports of ${event.address} cannot be read`;
    case 'health_not_offered':
      return event.why === 'UNIMPLEMENTED' ? null : `the health of ${event.address} cannot be watched: ${event.why}`;
    case 'watch_backed_off':
      return `a watch of ${event.address} ended soon: ${event.reason}`;
    case 'discovery_updated':
    case 'endpoint_added':
    case 'endpoint_removed':
    case 'connection_opened':
    case 'connection_closed':
      return null;
  }
}
