import type { Cancel, Clock } from '../../clock.js';

/** Something that carries calls: an endpoint, a connection. */
export interface Counted {
  /**
   * Calls that are picked and have not ended. A stream counts until it closes; on an endpoint, until it turns out to
   * last. Each attempt of a retried call counts.
   */
  inFlight: number;
}

/** An endpoint, whose streams that last count by themselves. */
export interface CountedEndpoint extends Counted {
  /** Open streams that last; they are not in flight. */
  streams: number;
}

/** Called when a call no longer counts, after the counters have been decremented. */
export type OnRelease<E, C> = (endpoint: E, connection: C) => void;

/** How long a pick may stay unconfirmed: longer than any local wait, shorter than what an operator would notice. */
export const LAPSE_AFTER_MS = 1000;

/**
 * Counts the calls of each endpoint and connection. grpc-js awaits the call credentials between the pick and the start
 * of a call, so a count at the start misses bursts; but grpc-js may also drop a pick without a callback, so a count at
 * the pick leaks. Hence a call is reserved at the pick, confirmed at the start and released at the end, and a
 * reservation lapses if it is not confirmed.
 */
export class Ledger<E extends CountedEndpoint, C extends Counted> {
  /** Reservations in the order of their picks; confirmed ones are skipped when they reach the front. */
  readonly #waiting: Reservation<E, C>[] = [];
  #front = 0;
  #cancelSweep: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly onRelease: OnRelease<E, C>,
  ) {}

  get now(): number {
    return this.clock.now();
  }

  /** @internal Called by each new reservation; returns the time. */
  track(reservation: Reservation<E, C>): number {
    this.#dropConfirmed();
    this.#waiting.push(reservation);
    this.#cancelSweep ??= this.clock.after(LAPSE_AFTER_MS, this.#sweep);
    return this.clock.now();
  }

  /** Stops the timer; pending reservations stay counted. */
  close(): void {
    this.#cancelSweep?.();
    this.#waiting.length = this.#front = 0;
  }

  /** @internal */
  released(endpoint: E, connection: C): void {
    this.onRelease(endpoint, connection);
  }

  readonly #sweep = (): void => {
    const now = this.clock.now();
    for (this.#dropConfirmed(); this.#front < this.#waiting.length; this.#dropConfirmed()) {
      const oldest = this.#waiting[this.#front]!;
      // Compute the same sum as for the first timer: a different rounding could make the reservation due for one and
      // not due for the other, and a virtual clock would loop at that time forever.
      const left = oldest.reservedAt + LAPSE_AFTER_MS - now;
      if (left > 0) {
        this.#cancelSweep = this.clock.after(left, this.#sweep);
        return;
      }
      oldest.lapse();
    }
    this.#cancelSweep = undefined;
  };

  #dropConfirmed(): void {
    while (this.#front < this.#waiting.length && !this.#waiting[this.#front]!.unconfirmed) this.#front++;
    if (this.#front === this.#waiting.length) {
      // One by one, because an array that is emptied at once gives up its memory.
      while (this.#waiting.pop());
      this.#front = 0;
    } else if (this.#front > 1024) {
      this.#waiting.splice(0, this.#front);
      this.#front = 0;
    }
  }
}

/** One call's entry in the counters, kept from its pick to its end. */
export class Reservation<E extends CountedEndpoint, C extends Counted> {
  private state: 'reserved' | 'started' | 'lapsed' | 'ended' = 'reserved';
  /** Whether it is a stream that lasts. */
  private lasting = false;
  readonly reservedAt: number;

  constructor(
    private readonly ledger: Ledger<E, C>,
    readonly endpoint: E,
    readonly connection: C,
  ) {
    endpoint.inFlight++;
    connection.inFlight++;
    this.reservedAt = ledger.track(this);
  }

  get unconfirmed(): boolean {
    return this.state === 'reserved';
  }

  /**
   * Called when the call has started. A reservation that had lapsed, because its credentials took long, counts again.
   */
  start(): void {
    if (this.state === 'lapsed') this.#count(1);
    if (this.state !== 'ended') this.state = 'started';
  }

  /** Called when it is a stream that lasts: it counts among the streams of its endpoint instead of its calls. */
  countAsStream(): void {
    if (this.lasting) return;
    this.lasting = true;
    if (this.state !== 'reserved' && this.state !== 'started') return;
    this.endpoint.inFlight--;
    this.endpoint.streams++;
  }

  /** Called when the call has ended, whatever its status. */
  end(): void {
    if (this.state === 'reserved' || this.state === 'started') this.#release();
    this.state = 'ended';
  }

  /** Called when the reservation was not confirmed in time: the pick was abandoned. */
  lapse(): void {
    if (this.state !== 'reserved') return;
    this.state = 'lapsed';
    this.#release();
  }

  #release(): void {
    this.#count(-1);
    this.ledger.released(this.endpoint, this.connection);
  }

  #count(by: 1 | -1): void {
    if (this.lasting) this.endpoint.streams += by;
    else this.endpoint.inFlight += by;
    this.connection.inFlight += by;
  }
}
