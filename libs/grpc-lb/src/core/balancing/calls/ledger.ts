import type { Cancel, Clock } from '../../clock.js';

/** Something that carries calls: an endpoint, a connection. */
export interface Counted {
  /** Calls picked and not ended. A stream is load until it closes; each attempt of a retried call counts. */
  inFlight: number;
}

/** Told when a call no longer counts, after the counters have gone down. */
export type OnRelease<E, C> = (endpoint: E, connection: C) => void;

/** How long a pick may stay unconfirmed. Longer than any local wait, shorter than what an operator would notice. */
export const LAPSE_AFTER_MS = 1000;

/**
 * Who carries how many calls. grpc-js awaits the call credentials between the pick and the start of a call, so a
 * count at the start is blind to bursts; but a pick may also be abandoned without a word, so a count at the pick
 * leaks. Hence: reserved at the pick, confirmed at the start, released at the end, and lapsed if nothing is heard.
 */
export class Ledger<E extends Counted, C extends Counted> {
  /** Reservations in the order of their picks; those that were confirmed are skipped when they reach the front. */
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

  /** Stops the timer; what is still reserved stays counted. */
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
      // The same sum that the first timer was set with: rounded in another way it could be due and not due at once, and
      // a virtual clock would never leave the moment.
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
      this.#waiting.length = this.#front = 0;
    } else if (this.#front > 1024) {
      this.#waiting.splice(0, this.#front);
      this.#front = 0;
    }
  }
}

/** One call's place in the counters: made at its pick, kept until its end. */
export class Reservation<E extends Counted, C extends Counted> {
  private state: 'reserved' | 'started' | 'lapsed' | 'ended' = 'reserved';
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

  /** The call has started. One that had lapsed, because its credentials took long, counts again. */
  start(): void {
    if (this.state === 'lapsed') {
      this.endpoint.inFlight++;
      this.connection.inFlight++;
    }
    if (this.state !== 'ended') this.state = 'started';
  }

  /** The call has ended, whatever its status. */
  end(): void {
    if (this.state === 'reserved' || this.state === 'started') this.#release();
    this.state = 'ended';
  }

  /** Nothing was heard: the pick was abandoned. */
  lapse(): void {
    if (this.state !== 'reserved') return;
    this.state = 'lapsed';
    this.#release();
  }

  #release(): void {
    this.endpoint.inFlight--;
    this.connection.inFlight--;
    this.ledger.released(this.endpoint, this.connection);
  }
}
