import { CRITICALITY_LEVELS } from './criticality.js';
import { SlidingCount } from './sliding-count.js';

const SLICES = 12;
/** Criticalities by their index. */
const RANKS = CRITICALITY_LEVELS.length;
/** That of calls that state none. */
export const USUAL_RANK = CRITICALITY_LEVELS.indexOf('critical');

/** How the calls of one method ended within a window. */
export class CallCounts {
  readonly #accepts = new SlidingCount(SLICES);
  readonly #requests = new SlidingCount(SLICES);
  /** Requests by their criticality; created with the first call that is not of the usual one. */
  #byRank: readonly SlidingCount[] | undefined;
  #slice = 0;

  /** @param window Milliseconds. */
  constructor(readonly window: number) {}

  get requests(): number {
    return this.#requests.total;
  }

  /** Requests that backends accepted. */
  get accepts(): number {
    return this.#accepts.total;
  }

  /** Drops what has left the window. Call it before the others. */
  turn(now: number): void {
    this.#slice = Math.floor((now * SLICES) / this.window);
    this.#requests.turnTo(this.#slice);
    this.#accepts.turnTo(this.#slice);
    this.#byRank?.forEach((count) => count.turnTo(this.#slice));
  }

  add(accepted: boolean): void {
    this.#requests.add();
    if (accepted) this.#accepts.add();
  }

  /** Counts a call of this criticality that asks to pass. */
  asked(rank: number): void {
    if (!this.#byRank) {
      if (rank === USUAL_RANK) return;
      this.#byRank = Array.from({ length: RANKS }, () => new SlidingCount(SLICES));
      for (const count of this.#byRank) count.turnTo(this.#slice);
    }
    this.#byRank[rank]!.add();
  }

  /**
   * The part of the calls of one criticality that is refused, if this share of all calls is, the least important first.
   */
  refusedShare(rank: number, share: number): number {
    if (!this.#byRank) return share;
    let lower = 0;
    let all = 0;
    this.#byRank.forEach(({ total }, each) => {
      all += total;
      if (each < rank) lower += total;
    });
    const own = this.#byRank[rank]!.total;
    return own === 0 ? share : Math.min(1, Math.max(0, (share * all - lower) / own));
  }

  clear(): void {
    this.#requests.clear();
    this.#accepts.clear();
  }
}
