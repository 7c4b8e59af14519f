import type { Cancel, Clock } from '../clock.js';
import type { Random } from '../random.js';
import type { MoveReason, PlacedStream } from './placed-stream.js';

/** Milliseconds within which the streams that leave an endpoint are asked to. */
export const LEAVE_WITHIN_MS = 2000;

/** The smallest time between two steps; streams that are closer together are asked in one step. */
const STEP_MS = 10;

/** What a departure asks about. */
export interface DepartureSource {
  readonly clock: Clock;
  readonly random: Random;
}

/** Whether the streams leave now, leave later since they have nowhere to go, or need not leave any more. */
export type Exit = 'open' | 'blocked' | 'over';

/**
 * Asks a set of streams to move, as if each had drawn a random time within `LEAVE_WITHIN_MS`: the streams of many
 * clients leave a server at the same moment, and arrive at the others one by one. Streams that cannot move yet, or whose
 * move failed, are asked again in the next round, until none is left.
 */
export class Departure<E> {
  #round: Iterator<PlacedStream<E>, undefined> | undefined;
  /** Streams of this round that have not been asked; approximate, since streams close. */
  #left = 0;
  #until = 0;
  #cancel: Cancel | undefined;
  #closed = false;

  /** @param streams Read at each step; streams that have moved or closed must have left it. */
  constructor(
    private readonly source: DepartureSource,
    private readonly streams: ReadonlySet<PlacedStream<E>>,
    readonly reason: MoveReason,
    private readonly exit: () => Exit,
    private readonly ended: () => void,
  ) {
    this.#begin();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #begin(): void {
    this.#round = this.streams.values();
    this.#left = this.streams.size;
    this.#until = this.source.clock.now() + LEAVE_WITHIN_MS;
    this.#wait();
  }

  /** The least of `#left` uniformly random times in what is left of the round. */
  #wait(): void {
    const { clock, random } = this.source;
    const rest = Math.max(0, this.#until - clock.now());
    const next = rest * (1 - random() ** (1 / Math.max(1, this.#left)));
    this.#cancel = clock.after(Math.max(STEP_MS, next), this.#step);
  }

  readonly #step = (): void => {
    const exit = this.exit();
    if (exit === 'over' || this.streams.size === 0) return this.ended();
    if (exit === 'blocked') return this.#again();
    const rest = Math.max(STEP_MS, this.#until - this.source.clock.now());
    for (let due = Math.max(1, Math.round((this.#left * STEP_MS) / rest)); due > 0;) {
      const next = this.#round!.next();
      if (next.done) return this.#again();
      const stream = next.value;
      this.#left--;
      if (!stream.movable) continue;
      stream.move(this.reason);
      // A stream that ends instead, as when the user's function throws, may have been the last.
      if (this.#closed) return;
      due--;
    }
    this.#wait();
  };

  #again(): void {
    this.#cancel = this.source.clock.after(LEAVE_WITHIN_MS, () => this.#begin());
  }
}
