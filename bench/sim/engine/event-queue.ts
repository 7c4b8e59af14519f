import type { Cancel, Clock } from '../../../libs/grpc-lb/src/core/clock.js';

/** Something that happens at one time of virtual time. */
export interface Task {
  run(): void;
}

/**
 * Virtual time: a heap of future events. Events of the same time happen in the order in which they were scheduled, so
 * that a run is reproducible. It is the clock of the whole simulation.
 */
export class EventQueue implements Clock {
  #now = 0;
  #sequence = 0;
  #size = 0;
  #stopped = false;
  // A four-ary heap in parallel arrays: no object per event, and few levels.
  #times = new Float64Array(1024);
  #order = new Float64Array(1024);
  readonly #tasks: Task[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = new Timer(callback);
    this.at(this.#now + Math.max(0, delayMs), timer);
    return () => timer.cancel();
  }

  at(time: number, task: Task): void {
    if (this.#size === this.#times.length) this.#grow();
    let place = this.#size++;
    const sequence = this.#sequence++;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      // A later entry never precedes an earlier one of the same time.
      if (this.#times[parent]! <= time) break;
      this.#move(parent, place);
      place = parent;
    }
    this.#put(place, time, sequence, task);
  }

  /** Runs until no event is left, or `stop` is called. */
  run(): void {
    this.#stopped = false;
    while (this.#size > 0 && !this.#stopped) this.#next();
  }

  stop(): void {
    this.#stopped = true;
  }

  #next(): void {
    const task = this.#tasks[0]!;
    this.#now = this.#times[0]!;
    const last = --this.#size;
    const time = this.#times[last]!;
    const sequence = this.#order[last]!;
    const moved = this.#tasks[last]!;
    // Finished events must not be kept alive; a shorter array would have to grow again.
    this.#tasks[last] = NOTHING;
    if (last > 0) this.#sink(time, sequence, moved);
    task.run();
  }

  #sink(time: number, sequence: number, task: Task): void {
    const size = this.#size;
    let place = 0;
    for (;;) {
      const first = place * 4 + 1;
      if (first >= size) break;
      let least = first;
      const end = Math.min(first + 4, size);
      for (let child = first + 1; child < end; child++) if (this.#before(child, least)) least = child;
      const leastTime = this.#times[least]!;
      if (time < leastTime || (time === leastTime && sequence < this.#order[least]!)) break;
      this.#move(least, place);
      place = least;
    }
    this.#put(place, time, sequence, task);
  }

  #before(one: number, other: number): boolean {
    const difference = this.#times[one]! - this.#times[other]!;
    return difference < 0 || (difference === 0 && this.#order[one]! < this.#order[other]!);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from]!, this.#order[from]!, this.#tasks[from]!);
  }

  #put(place: number, time: number, sequence: number, task: Task): void {
    this.#times[place] = time;
    this.#order[place] = sequence;
    this.#tasks[place] = task;
  }

  #grow(): void {
    const double = (array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(array.length * 2);
      larger.set(array);
      return larger;
    };
    this.#times = double(this.#times);
    this.#order = double(this.#order);
  }
}

const NOTHING: Task = { run: () => {} };

class Timer implements Task {
  constructor(private callback: (() => void) | undefined) {}

  /** The event stays in the queue until its time comes, and then does nothing. */
  cancel(): void {
    this.callback = undefined;
  }

  run(): void {
    const { callback } = this;
    this.callback = undefined;
    callback?.();
  }
}
