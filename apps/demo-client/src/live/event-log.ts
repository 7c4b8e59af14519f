import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { GrpcLbRegistry } from 'nestjs-grpc-lb';
import { type Subscription, Subject } from 'rxjs';
import { eventText } from './event-text.js';

const KEPT = 8;

export interface EventLine {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly text: string;
}

/** The events of the balanced client, in words; the last lines are kept for later visitors. */
@Injectable()
export class EventLog implements OnModuleDestroy {
  readonly recent: EventLine[] = [];
  readonly lines$ = new Subject<EventLine>();
  readonly #subscription: Subscription;

  constructor(registry: GrpcLbRegistry) {
    this.#subscription = registry.events$.subscribe((event) => {
      const text = eventText(event);
      if (text !== null) this.#add({ time: event.time, text });
    });
  }

  onModuleDestroy(): void {
    this.#subscription.unsubscribe();
    this.lines$.complete();
  }

  #add(line: EventLine): void {
    this.recent.push(line);
    if (this.recent.length > KEPT) this.recent.shift();
    this.lines$.next(line);
  }
}
