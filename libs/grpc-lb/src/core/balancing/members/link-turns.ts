import type { Cancel, Clock } from '../../clock.js';
import { type Random, randomBelow } from '../../random.js';

/** At most this many links are opened, and as many drained, in one turn. A list of thousands takes several turns. */
const PER_TURN = 250;
/** The pause after such a turn, as a multiple of its duration, so that calls run; with limits. */
const REST = 4;
const MIN_REST_MS = 20;
const MAX_REST_MS = 1000;

/** A member whose link follows from whether discovery lists it. */
export interface Settling {
  /** Whether it is in the queue. */
  queued: boolean;
  /** What its link needs. */
  readonly due: 'open' | 'drain' | undefined;
  /** Opens or drains its link, as it needs. */
  settle(): void;
}

/** Spreads the opening and draining of links over several turns of the event loop. */
export class LinkTurns {
  #queue: Settling[] = [];
  #cancelNext: Cancel | undefined;

  constructor(
    private readonly environment: { readonly clock: Clock; readonly random: Random },
    /** Called when the next turn may begin. */
    private readonly onDue: () => void,
  ) {}

  add(member: Settling): void {
    if (member.queued) return;
    member.queued = true;
    this.#queue.push(member);
  }

  /** Settles the links of one turn. */
  run(): void {
    if (this.#queue.length === 0) return;
    const { clock } = this.environment;
    const began = clock.now();
    for (const member of this.#take()) {
      member.queued = false;
      member.settle();
    }
    if (this.#queue.length === 0) return;
    const rest = Math.min(MAX_REST_MS, Math.max(MIN_REST_MS, REST * (clock.now() - began)));
    this.#cancelNext ??= clock.after(rest, () => {
      this.#cancelNext = undefined;
      this.onDue();
    });
  }

  close(): void {
    this.#cancelNext?.();
    this.#queue = [];
  }

  /** Takes the links of one turn out of the queue. */
  #take(): Settling[] {
    const queue = this.#queue;
    if (queue.length <= PER_TURN) {
      this.#queue = [];
      return queue;
    }
    const opening = queue.filter(({ due }) => due === 'open');
    const draining = queue.filter(({ due }) => due === 'drain');
    // Those that need nothing any more leave the queue, too.
    const taken = queue.filter(({ due }) => due === undefined);
    taken.push(...this.#draw(opening), ...this.#draw(draining));
    this.#queue = [...opening, ...draining];
    return taken;
  }

  /** At random if they are many: clients with the same list should not all begin with the same endpoints. */
  #draw(members: Settling[]): Settling[] {
    if (members.length <= PER_TURN) return members.splice(0);
    return Array.from({ length: PER_TURN }, () => {
      const index = randomBelow(this.environment.random, members.length);
      const member = members[index]!;
      members[index] = members.at(-1)!;
      members.pop();
      return member;
    });
  }
}
