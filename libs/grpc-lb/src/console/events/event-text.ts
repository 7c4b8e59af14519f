import type { LbEvent } from '../../core/events.js';
import { plural } from '../../core/plural.js';
import type { MoveReason } from '../../core/streams/placed-stream.js';

/** `problem`: someone may have to act. `good`: a problem is over. `note`: worth knowing. `detail`: the rest. */
export type EventWeight = 'problem' | 'good' | 'note' | 'detail';

/** An event as a sentence. */
export function eventText(event: LbEvent): readonly [weight: EventWeight, text: string] {
  switch (event.type) {
    case 'client_state':
      return [
        event.to === 'transient_failure' ? 'problem' : event.to === 'ready' ? 'good' : 'note',
        `the client went from ${clientState(event.from)} to ${clientState(event.to)}${because(event.reason)}`,
      ];
    case 'endpoint_state':
      return [
        weightOf(event.to),
        `${event.address} went from ${named(event.from)} to ${named(event.to)}${because(event.reason)}`,
      ];
    case 'discovery_updated':
      return ['note', `discovery lists ${plural(event.total, 'endpoint')}: ${event.added} new, ${event.removed} gone`];
    case 'discovery_failed':
      return ['problem', `discovery of ${event.target} failed, ${USES[event.uses]}: ${event.error}`];
    case 'discovery_recovered':
      return ['good', `discovery of ${event.target} answers again`];
    case 'discovery_warning':
      return ['note', `discovery: ${event.warning}`];
    case 'endpoint_added':
      return ['detail', `${event.address} is used from now on`];
    case 'endpoint_removed':
      return ['detail', `${event.address} has left, and its last call has ended`];
    case 'connection_opened':
      return ['detail', `connection ${event.connection} to ${event.address} is ready`];
    case 'connection_closed':
      return ['detail', `connection ${event.connection} to ${event.address} is closed${because(event.reason)}`];
    case 'streams_leaving':
      return [
        'note',
        `${plural(event.streams, 'stream')} ${event.streams === 1 ? 'leaves' : 'leave'} ${event.address}: ${STREAMS[event.reason]}`,
      ];
    case 'stream_rebalanced':
      return ['detail', `a stream moved from ${event.address} to ${event.to}: ${MOVED[event.reason]}`];
    case 'failover':
      return ['note', `${Math.round(event.share * 100)} % of the calls go to priority ${event.priority}`];
    case 'panic':
      return event.on
        ? ['problem', `panic: only ${event.healthy} of ${event.connected} endpoints are healthy, so all are used`]
        : ['good', 'panic has ended: enough endpoints are healthy'];
    case 'health_not_offered':
      return ['detail', `the health of ${event.address} is not watched: ${event.why}`];
    case 'watch_backed_off':
      return ['note', `a watch of ${event.address} ended early: ${event.reason}`];
    case 'load_reports_not_offered':
      return ['note', 'a backend does not report its load out of band'];
    case 'load_report_rejected':
      return ['note', `load reports of ${event.address} cannot be read`];
    case 'pool_saturated':
      return [
        'problem',
        `every connection is at its stream limit: ${plural(event.pending, 'call')} ${event.pending === 1 ? 'waits' : 'wait'}`,
      ];
    case 'shedding':
      return event.on ? ['problem', `${event.address} sheds load`] : ['good', `${event.address} no longer sheds load`];
    case 'throttle':
      return event.on
        ? ['problem', `calls of ${event.method} are throttled: ${event.accepts} of ${event.requests} were accepted`]
        : ['good', `calls of ${event.method} are no longer throttled`];
    case 'call_rejected':
      return ['problem', `a call was rejected: ${event.pending} of at most ${event.maxPending} calls are pending`];
    case 'certificates_rotated':
      return ['note', 'other certificates are in force; connections are replaced'];
    case 'certificates_rejected':
      return ['problem', `certificates cannot be used, ${CERTIFICATES[event.uses]}: ${event.reason}`];
    case 'certificate_expiring':
      return ['problem', event.reason];
    case 'connection_not_replaced':
      return [
        'problem',
        `a connection to ${event.address} cannot be replaced with the new certificates: ${event.reason}`,
      ];
    case 'configured':
      return ['note', 'new load-balancing options are in force'];
  }
}

const CERTIFICATES = { last: 'the last good ones stay in force', none: 'so no connection can be made' } as const;

const USES = {
  last: 'the last list stays in use',
  leaving: 'the last list is in use for a few more seconds',
  part: 'the valid part of the list is in use',
  none: 'and there has never been a list',
} as const;

/** Why streams leave an endpoint. */
const STREAMS: Readonly<Record<MoveReason, string>> = {
  draining: 'its server does not take new calls',
  ejected: 'it is ejected',
  silent: 'it does not answer',
  removed: 'it is no longer used',
  connection_retired: 'their connection is replaced',
  max_age: 'its server ends streams of their age',
  rebalance: 'it carries more than others',
  key: 'their keys belong to others',
};

/** Why one stream has moved. */
const MOVED = { rebalance: 'it carried fewer', key: 'its key belongs there now' } as const;

/** The words of the page for states whose names say little. */
const WORDS: Readonly<Record<string, string>> = {
  transient_failure: 'unreachable (transient_failure)',
  not_serving: 'not serving',
  suspect: 'silent (suspect)',
  draining: 'leaving',
};

function clientState(state: string): string {
  return state === 'transient_failure' ? 'no endpoint (transient_failure)' : state;
}

function named(state: string): string {
  return WORDS[state] ?? state;
}

function weightOf(to: string): EventWeight {
  if (to === 'ready') return 'good';
  return to === 'connecting' || to === 'draining' ? 'detail' : 'problem';
}

function because(reason: string | null): string {
  return reason === null ? '' : `: ${reason}`;
}
