import type { Logger } from '@nestjs/common';
import type { Observer } from 'rxjs';
import type { Clock } from '../core/clock.js';
import type { HealthNotOffered, LbEvent, ListInUse } from '../core/events.js';
import { printable } from '../core/printable.js';
import { type Line, LogTopic } from './log-topic.js';

/** Quoted texts are cut earlier; this bound holds for any event. */
const MAX_LINE = 2000;

/** Logs what an operator should know about all clients; all other events are only in the event stream. */
export function eventLog(
  logger: Pick<Logger, 'log' | 'warn'>,
  clock: Clock,
): Pick<Observer<LbEvent>, 'next' | 'complete'> {
  const topics = new Map<string, LogTopic>();
  return {
    next(event) {
      if (event.type === 'endpoint_removed') {
        for (const name of OF_ENDPOINTS) topics.get(`${event.client} ${name}`)?.forget(event.address);
      }
      const said = lineOf(event);
      if (said === undefined) return;
      const line: Line = { ...said, time: event.time };
      const write = ({ level, text }: Line): void =>
        logger[level](printable(`client ${event.client}: ${text}`, MAX_LINE));
      // The client emits each warning only once.
      if (event.type === 'discovery_warning') return write(line);
      const [name, subject] = topicOf(event);
      const key = `${event.client} ${name}`;
      let topic = topics.get(key);
      if (!topic) topics.set(key, (topic = new LogTopic(write, clock)));
      topic.tell(subject, line);
    },
    complete() {
      for (const topic of topics.values()) topic.close();
    },
  };
}

/** The topics whose subjects are endpoints. */
const OF_ENDPOINTS = ['endpoint_state', 'shedding', 'connection_not_replaced'] as const;

/** The kind of problem, whose lines share a limit, and its subject. */
function topicOf(event: LbEvent): readonly [topic: string, subject: string] {
  switch (event.type) {
    case 'certificates_rotated':
    case 'certificates_rejected':
      return ['certificates', ''];
    case 'discovery_failed':
    case 'discovery_recovered':
      return [`discovery ${event.target}`, ''];
    case 'health_not_offered':
      return [`health_not_offered ${event.why}`, ''];
    case 'endpoint_state':
    case 'shedding':
    case 'connection_not_replaced':
      return [event.type satisfies (typeof OF_ENDPOINTS)[number], event.address];
    case 'throttle':
      return [event.type, event.method];
    default:
      return [event.type, ''];
  }
}

/** What a discovery failure means for the list in use. For `leaving` the error itself says when the list is removed. */
const IN_USE: Readonly<Record<ListInUse, string>> = {
  last: '; the last good list stays in use',
  leaving: '',
  part: '; the valid endpoints are used',
  none: '; no endpoint is known yet',
};

const CERTIFICATES = { last: 'so the last good ones stay in force', none: 'so no connection can be made' } as const;

/** A line without its time. */
type Said = Omit<Line, 'time'>;

function lineOf(event: LbEvent): Said | undefined {
  switch (event.type) {
    case 'client_state':
      if (event.to === 'transient_failure') {
        const reason = event.reason === null ? '' : `: ${event.reason}`;
        return { level: 'warn', text: `no endpoint is ready, calls fail with UNAVAILABLE${reason}` };
      }
      return event.to === 'ready' ? { level: 'log', text: 'ready again' } : undefined;
    case 'discovery_failed':
      return { level: 'warn', text: `discovery failed: ${event.error}${IN_USE[event.uses]}` };
    case 'discovery_recovered':
      return { level: 'log', text: `discovery recovered: ${event.target}` };
    case 'discovery_warning':
      return { level: 'warn', text: event.target === null ? event.warning : `${event.target}: ${event.warning}` };
    case 'failover':
      return event.priority === 0 && event.share > 0.99
        ? { level: 'log', text: 'all calls go to priority 0 again' }
        : { level: 'warn', text: failoverText(event) };
    case 'panic':
      return event.on
        ? {
            level: 'warn',
            text: `panic: only ${event.healthy} of ${event.connected} connected endpoints are healthy, so calls go to all of them`,
          }
        : { level: 'log', text: 'panic ended: enough endpoints are healthy' };
    case 'load_report_rejected':
      return { level: 'warn', text: `load reports of ${event.address} are unreadable and are ignored` };
    case 'endpoint_state':
      return endpointLine(event);
    case 'health_not_offered':
      return { level: 'warn', text: notOfferedText(event) };
    case 'watch_backed_off': {
      const what = event.watch === 'health' ? 'the health watch' : 'the load report watch';
      const text = `${what} of ${event.address} ended early, and is reopened with growing delays: ${event.reason}`;
      return { level: 'warn', text };
    }
    case 'certificates_rotated': {
      const until = event.expires === null ? '' : `; its own one expires at ${new Date(event.expires).toISOString()}`;
      return { level: 'log', text: `other certificates are in force, and connections are replaced${until}` };
    }
    case 'certificates_rejected':
      return {
        level: 'warn',
        text: `certificates cannot be used, ${CERTIFICATES[event.uses]}: ${event.reason}`,
      };
    case 'certificate_expiring':
      return { level: 'warn', text: `${event.reason}; check what renews it` };
    case 'connection_not_replaced':
      return {
        level: 'warn',
        text: `endpoint ${event.address} refuses a connection with the new certificates, so the old one stays in use: ${event.reason}`,
      };
    case 'shedding':
      return event.on
        ? {
            level: 'warn',
            text: `endpoint ${event.address} sheds load: it has more to do than it can, and refuses a part of the calls; they are sent elsewhere once`,
          }
        : { level: 'log', text: `endpoint ${event.address} no longer sheds load` };
    case 'throttle':
      return event.on
        ? {
            level: 'warn',
            text: `calls of ${event.method} are throttled: backends accepted ${event.accepts} of ${event.requests} recently; a part of them fails with UNAVAILABLE without being sent`,
          }
        : { level: 'log', text: `calls of ${event.method} are no longer throttled` };
    case 'call_rejected':
      return {
        level: 'warn',
        text: `a call failed with RESOURCE_EXHAUSTED, because ${event.maxPending} calls are already pending`,
      };
    default:
      return undefined;
  }
}

/** Remedies for unreachable endpoints, by their reason; null if the reason contains the remedy. */
const REMEDIES: readonly (readonly [RegExp, string | null])[] = [
  [/credentials|does not speak HTTP\/2|(?:certificate|handshake|TLS).*(?:the peer|tls\.)/, null],
  [/ENOTFOUND|EAI_AGAIN/, 'check the host name, and that DNS resolves it on this machine'],
  [
    /certificate|altname|SSL|TLS|self-signed|wrong version number/i,
    'check its certificate, the CA and the name that this client expects, and that both sides use TLS',
  ],
  [/connections in a row/, 'a process accepts connections on that port and closes them; check which one, and its log'],
];

/** How bad the states of an endpoint are that are logged. */
const SEVERITY = { usedAgain: 0, degraded: 1, ejected: 1, suspect: 2, transient_failure: 3 } as const;

function endpointLine({ address, to, reason }: LbEvent & { readonly type: 'endpoint_state' }): Said | undefined {
  switch (to) {
    case 'ready':
      return reason === null
        ? { level: 'log', text: `endpoint ${address} is ready` }
        : { level: 'warn', text: usedAgainText(address, reason), severity: SEVERITY.usedAgain };
    case 'degraded':
      return { level: 'warn', text: degradedText(address, reason), severity: SEVERITY[to] };
    case 'ejected':
      return { level: 'warn', text: ejectedText(address, reason), severity: SEVERITY[to] };
    case 'suspect':
    case 'transient_failure':
      return {
        level: 'warn',
        text: troubleText(address, to, reason ?? 'the connection failed'),
        severity: SEVERITY[to],
      };
    default:
      return undefined;
  }
}

/** It gets calls for a reason other than that it is well. */
function usedAgainText(address: string, reason: string): string {
  return `endpoint ${address} gets calls again, though it may still fail: ${reason}`;
}

function degradedText(address: string, reason: string | null): string {
  return `endpoint ${address} is degraded: ${reason}; it gets calls only while the others cannot carry all. Check its log`;
}

function ejectedText(address: string, reason: string | null): string {
  const why = reason === null ? '' : `: ${reason}`;
  return `endpoint ${address} is ejected${why}; it gets no calls for a while, then one as a probe. Check its log`;
}

function troubleText(address: string, to: 'suspect' | 'transient_failure', reason: string): string {
  if (to === 'suspect') {
    return (
      `endpoint ${address} is silent: ${reason}; it gets no new calls until it answers. ` +
      'Its process may be busy or stopped, or the network may drop packets'
    );
  }
  const known = REMEDIES.find(([pattern]) => pattern.test(reason));
  const remedy = known ? known[1] : 'check that it runs and is reachable, or why discovery still lists it';
  const effect = 'it gets no calls until the client has reconnected';
  return `endpoint ${address} is unavailable: ${reason}; ${effect}${remedy === null ? '' : `; ${remedy}`}`;
}

function failoverText({ priority, share }: { readonly priority: number; readonly share: number }): string {
  const rest = share > 0.99 ? '' : ', the rest to later priorities';
  const calls = share > 0.99 ? 'all calls' : `${Math.round(share * 100)} % of calls`;
  return `too few endpoints of the preferred priority are healthy: ${calls} go to priority ${priority}${rest}`;
}

function notOfferedText({ address, why }: { readonly address: string; readonly why: HealthNotOffered }): string {
  const meaning = 'such endpoints count as healthy while they are connected';
  if (why === 'UNIMPLEMENTED') {
    const remedy = 'serve grpc.health.v1.Health, as grpcServer() does, or set health: { enabled: false }';
    return `${address} has no health service; ${meaning}; ${remedy}`;
  }
  return why === 'STREAM_LIMIT'
    ? `${address} allows too few streams on a connection for a health watch and calls; ${meaning}`
    : `the health service of ${address} refuses the watch with ${why}; ${meaning}. ` +
        'Set health.metadata to what the service requires, or disable the watch with health: { enabled: false }';
}
