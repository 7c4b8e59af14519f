import { beforeEach } from 'vitest';
import type { EventBody, LbEvent } from '../../../libs/grpc-lb/src/core/events.js';
import type { EndpointState } from '../../../libs/grpc-lb/src/core/snapshot.js';
import { eventLog } from '../../../libs/grpc-lb/src/nest/event-log.js';
import { FakeClock } from '../time/fake-clock.js';

/** What the log of events writes, in virtual time; each test has a new one. */
export class EventLines {
  clock!: FakeClock;
  lines!: [at: number, level: string, text: string][];
  #log!: ReturnType<typeof eventLog>;

  constructor() {
    beforeEach(() => {
      this.clock = new FakeClock();
      this.lines = [];
      const write = (level: string) => (text: string) => this.lines.push([this.clock.now(), level, text]);
      this.#log = eventLog({ log: write('log'), warn: write('warn') }, this.clock);
    });
  }

  get texts(): string[] {
    return this.lines.map(([, level, text]) => `${level} ${text}`);
  }

  tell(event: EventBody, client = 'ORDERS'): void {
    this.#log.next({ ...event, client, time: this.clock.now() } as LbEvent);
  }

  complete(): void {
    this.#log.complete();
  }
}

export const DOWN: EventBody = { type: 'client_state', from: 'ready', to: 'transient_failure', reason: 'x refused' };
export const UP: EventBody = { type: 'client_state', from: 'connecting', to: 'ready', reason: null };

export function failed(error: string, target = 'dns:///orders:1'): EventBody {
  return { type: 'discovery_failed', target, error, uses: 'last' };
}

export function recovered(target = 'dns:///orders:1'): EventBody {
  return { type: 'discovery_recovered', target };
}

export function state(to: EndpointState, reason: string | null, address = '10.0.0.1:50051'): EventBody {
  return { type: 'endpoint_state', address, from: 'connecting', to, reason };
}
