import type { Metadata } from '@grpc/grpc-js';
import { CRITICALITY_LEVELS, type CriticalityLevel } from '../core/call/criticality.js';
import type { Refusal } from './refusal.js';

/** How long it counts that calls of a level have come, in milliseconds. */
const RECENT_MS = 1000;

export interface PostponedCall {
  readonly level: CriticalityLevel;
  readonly metadata: Metadata;
  /** Called with how it ends if it is shed. */
  readonly decided: (refusal: Refusal | undefined) => void;
}

/**
 * Calls that wait for the end of the turn of the event loop in which they have arrived. Those of a turn are read one
 * after the other; without a wait, the first of them has the room, and not the most important.
 */
export class PostponedCalls {
  #calls: PostponedCall[] = [];
  /** When the last call of each level came. */
  readonly #seenAt = new Map<CriticalityLevel, number>();

  /** Whether a call of this level should wait: more important ones have come recently. */
  shouldWait(level: CriticalityLevel, now: number): boolean {
    this.#seenAt.set(level, now);
    for (let rank = rankOf(level) + 1; rank < CRITICALITY_LEVELS.length; rank++) {
      const seenAt = this.#seenAt.get(CRITICALITY_LEVELS[rank]!);
      if (seenAt !== undefined && now - seenAt < RECENT_MS) return true;
    }
    return false;
  }

  add(call: PostponedCall): void {
    this.#calls.push(call);
  }

  /** Those that wait, the most important first. */
  take(): readonly PostponedCall[] {
    if (this.#calls.length === 0) return NONE;
    const calls = this.#calls;
    this.#calls = [];
    return calls.toSorted((one, other) => rankOf(other.level) - rankOf(one.level));
  }
}

const NONE: readonly PostponedCall[] = Object.freeze([]);

function rankOf(level: CriticalityLevel): number {
  return CRITICALITY_LEVELS.indexOf(level);
}
