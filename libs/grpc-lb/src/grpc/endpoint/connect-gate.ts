import type { Cancel, Clock } from '../../core/clock.js';
import { type Random, randomBelow } from '../../core/random.js';

/** Maximum number of concurrent attempts to connect per client. */
const MAX_ATTEMPTS = 32;
/** An attempt that takes longer, such as to a host that does not answer, does not hold up the others. */
const MAX_HOLD_MS = 1000;

/**
 * Spreads the first attempts to connect: a client that starts with a thousand endpoints opens a few connections at a
 * time, in random order, so that handshakes overload neither the client nor the first servers in the list. The backoff
 * spreads attempts after a failure.
 */
export class ConnectGate {
  readonly #waiting: Entry[] = [];
  #open = 0;
  #admitting = false;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /**
   * Calls `connect` as soon as there is room. The returned function signals that the attempt is over, or no longer
   * needed.
   */
  enter(connect: () => void): () => void {
    const entry: Entry = { connect, state: 'waiting', index: this.#waiting.length, cancelHold: undefined };
    this.#waiting.push(entry);
    this.#admitSoon();
    return () => this.#leave(entry);
  }

  /**
   * Waits until all entries of the current turn have come or gone: so the first endpoint of the list is not always
   * tried first, and a client that closes, or gets another list, opens no connections to endpoints that are about to
   * leave.
   */
  #admitSoon(): void {
    if (this.#admitting || this.#open === MAX_ATTEMPTS || this.#waiting.length === 0) return;
    this.#admitting = true;
    queueMicrotask(() => {
      this.#admitting = false;
      this.#admit();
    });
  }

  #admit(): void {
    while (this.#open < MAX_ATTEMPTS && this.#waiting.length > 0) {
      const index = this.#waiting.length === 1 ? 0 : randomBelow(this.random, this.#waiting.length);
      const entry = this.#waiting[index]!;
      this.#remove(entry);
      this.#open++;
      entry.state = 'connecting';
      entry.cancelHold = this.clock.after(MAX_HOLD_MS, () => this.#leave(entry));
      entry.connect();
    }
  }

  #leave(entry: Entry): void {
    const { state } = entry;
    entry.state = 'left';
    // At once: while hosts do not answer, a list that keeps changing would leave more here than are ever admitted.
    if (state === 'waiting') this.#remove(entry);
    if (state !== 'connecting') return;
    entry.cancelHold?.();
    this.#open--;
    this.#admitSoon();
  }

  /** The last one takes its place, since there may be thousands. */
  #remove({ index }: Entry): void {
    const last = this.#waiting.pop()!;
    if (index === this.#waiting.length) return;
    this.#waiting[index] = last;
    last.index = index;
  }
}

interface Entry {
  readonly connect: () => void;
  state: 'waiting' | 'connecting' | 'left';
  /** Its place among those that wait. */
  index: number;
  cancelHold: Cancel | undefined;
}
