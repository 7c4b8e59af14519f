import type { Metadata } from '@grpc/grpc-js';
import { CRITICALITY_LEVELS, type CriticalityLevel } from '../core/call/criticality.js';
import type { Refusal } from './refusal.js';

export interface PostponedCall {
  readonly level: CriticalityLevel;
  readonly metadata: Metadata;
  /** By the clock of the shedder. */
  readonly arrivedAt: number;
  /** Called once: with how it ends if it is shed, or when it may start. */
  readonly decided: (refusal: Refusal | undefined) => void;
}

/** What postponed calls need of the shedder, and of the event loop. */
export interface Decisions {
  /** Decides upon a call; `ready` calls have been admitted and have not started. */
  decide(call: PostponedCall, ready: number): Refusal | undefined;
  /** How many calls start in one turn of the event loop. */
  startsPerTurn(): number;
  /** Whether an admitted call has waited so long that it starts before more important ones. */
  isOverdue(call: PostponedCall): boolean;
  /** A call starts. */
  starts(call: PostponedCall): void;
  /** Calls back in the check phase of the event loop, as Node's `setImmediate`. */
  immediate(callback: () => void): void;
}

/**
 * Calls that are decided upon together when all have been read that have arrived in a turn of the event loop, the most
 * important first, and then start a few in a turn. What Node's HTTP/2 sends for immediates it writes in the next check
 * phase, before other immediates run: so each shed call is answered before another one starts, and each answer is written
 * before the next call starts. If calls started where they are read, the answers of all that were read together would
 * wait for the last of them.
 */
export class PostponedCalls {
  #arrived: PostponedCall[] = [];
  /** Admitted calls by rank, each first come first served. */
  readonly #ready: PostponedCall[][] = CRITICALITY_LEVELS.map(() => []);
  #readyCount = 0;
  /** Whether an immediate is under way. */
  #busy = false;

  constructor(private readonly decisions: Decisions) {}

  /** Calls that have been admitted and have not started. */
  get ready(): number {
    return this.#readyCount;
  }

  /** When the oldest of them arrived; undefined if there is none. */
  get oldest(): number | undefined {
    if (this.#readyCount === 0) return undefined;
    return Math.min(...this.#ready.map(([first]) => first?.arrivedAt ?? Infinity));
  }

  add(call: PostponedCall): void {
    this.#arrived.push(call);
    if (this.#busy) return;
    this.#busy = true;
    this.decisions.immediate(this.#decide);
  }

  readonly #decide = (): void => {
    const arrived = this.#arrived;
    this.#arrived = [];
    const refused: { readonly call: PostponedCall; readonly refusal: Refusal }[] = [];
    if (arrived.length > 1) arrived.sort((one, other) => rankOf(other.level) - rankOf(one.level));
    for (const call of arrived) {
      const refusal = this.decisions.decide(call, this.#readyCount);
      if (refusal) refused.push({ call, refusal });
      else {
        this.#ready[rankOf(call.level)]!.push(call);
        this.#readyCount++;
      }
    }
    if (this.#readyCount > 0) this.decisions.immediate(this.#start);
    else this.#busy = false;
    for (const { call, refusal } of refused) tell(call, refusal);
  };

  /** Most of what arrives in the meantime is read by the end of the next poll phase, when the next decision falls. */
  readonly #start = (): void => {
    this.decisions.immediate(this.#decide);
    for (let left = this.decisions.startsPerTurn(); left > 0 && this.#readyCount > 0; left--) {
      const call = this.#next();
      this.decisions.starts(call);
      tell(call, undefined);
    }
  };

  #next(): PostponedCall {
    const overdue = this.#ready.find(([first]) => first !== undefined && this.decisions.isOverdue(first));
    this.#readyCount--;
    return (overdue ?? this.#ready.findLast((calls) => calls.length > 0)!).shift()!;
  }
}

/** As in a turn of its own: an interceptor that throws does not stop the other calls. */
function tell(call: PostponedCall, refusal: Refusal | undefined): void {
  try {
    call.decided(refusal);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function rankOf(level: CriticalityLevel): number {
  return CRITICALITY_LEVELS.indexOf(level);
}
