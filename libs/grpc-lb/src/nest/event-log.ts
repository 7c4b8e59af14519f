import type { Logger } from '@nestjs/common';
import type { LbEvent } from '../core/events.js';

/** The same is not said again within this time. */
const INTERVAL_MS = 60_000;

interface Line {
  readonly level: 'log' | 'warn';
  readonly text: string;
}

/** Writes what an operator should know of all clients to a logger; the rest is for those who listen to the events. */
export function eventLog(logger: Pick<Logger, 'log' | 'warn'>): (event: LbEvent) => void {
  const saidAt = new Map<string, number>();
  /** Clients of which trouble was told: only then its end is news. */
  const troubled = new Set<string>();
  return (event) => {
    if (event.type === 'client_state' && event.to === 'ready' && !troubled.delete(event.client)) return;
    const line = lineOf(event);
    if (line === undefined) return;
    if (event.type === 'client_state' && event.to === 'transient_failure') troubled.add(event.client);
    const key = `${event.client} ${event.type} ${line.level}`;
    const repeats = line.level === 'warn' && event.type !== 'discovery_warning';
    if (repeats && event.time - (saidAt.get(key) ?? -Infinity) < INTERVAL_MS) return;
    saidAt.set(key, event.time);
    logger[line.level](`client ${event.client}: ${line.text}`);
  };
}

function lineOf(event: LbEvent): Line | undefined {
  switch (event.type) {
    case 'client_state':
      if (event.to === 'transient_failure') {
        return { level: 'warn', text: 'no endpoint is ready: calls fail with UNAVAILABLE' };
      }
      return event.to === 'ready' ? { level: 'log', text: 'ready again' } : undefined;
    case 'discovery_failed':
      return { level: 'warn', text: `discovery failed, the last good list stays in use: ${event.error}` };
    case 'discovery_recovered':
      return { level: 'log', text: `discovery answers again: ${event.target}` };
    case 'discovery_warning':
      return { level: 'warn', text: `${event.target}: ${event.warning}` };
    case 'failover':
      return event.priority === 0 && event.share > 0.99
        ? { level: 'log', text: 'all calls go to the endpoints of priority 0 again' }
        : {
            level: 'warn',
            text: `too few endpoints of a better priority are well: ${Math.round(event.share * 100)} % of calls go to priority ${event.priority}, the rest to later ones`,
          };
    case 'panic':
      return event.on
        ? {
            level: 'warn',
            text: `panic: only ${event.well} of ${event.connected} connected endpoints are well, so all of them are used`,
          }
        : { level: 'log', text: 'no panic any more: enough endpoints are well' };
    case 'call_rejected':
      return { level: 'warn', text: `a call was refused with RESOURCE_EXHAUSTED: ${event.maxPending} wait already` };
    default:
      return undefined;
  }
}
