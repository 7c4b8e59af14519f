import type { LbEvent } from '../../core/events.js';
import { type EventWeight, eventText } from './event-text.js';

/** An event in the list of the page. */
export interface EventLine {
  /** Counts the events of the process, so that a page knows which ones it has. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly weight: EventWeight;
  readonly text: string;
}

/** Events that are kept of a client: a thousand endpoints that connect must not push out what matters. */
const KEPT = { details: 100, others: 100 } as const;

/** The last events of each client, as sentences, in constant memory. */
export class EventLog {
  readonly #byClient = new Map<string, { readonly details: EventLine[]; readonly others: EventLine[] }>();
  #last = 0;

  add(event: LbEvent): void {
    const [weight, text] = eventText(event);
    let lines = this.#byClient.get(event.client);
    if (!lines) this.#byClient.set(event.client, (lines = { details: [], others: [] }));
    const kind = weight === 'detail' ? 'details' : 'others';
    const kept = lines[kind];
    kept.push({ id: ++this.#last, time: event.time, weight, text });
    if (kept.length > KEPT[kind]) kept.shift();
  }

  /** The events of a client after the one with this number, the oldest first. */
  after(id: number, client: string): EventLine[] {
    const { details = [], others = [] } = this.#byClient.get(client) ?? {};
    return [...details, ...others].filter((line) => line.id > id).toSorted((one, other) => one.id - other.id);
  }
}
