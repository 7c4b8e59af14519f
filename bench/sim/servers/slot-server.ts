import { Deque } from '../engine/deque.js';
import type { EventQueue } from '../engine/event-queue.js';
import type { Job } from './job.js';
import { Server } from './server.js';

/**
 * A backend that works on a fixed number of calls at a time, like one with a thread pool; the others wait in a queue.
 */
export class SlotServer extends Server {
  readonly #waiting = new Deque<Job>();
  readonly #running = new Set<Job>();
  readonly reportsEventLoop = false;
  /** Kept from the first time that the expected time is queried while every slot is taken. */
  #plan: Plan | undefined;
  #busyTime = 0;
  #since = 0;

  constructor(
    queue: EventQueue,
    index: number,
    readonly slots: number,
  ) {
    super(queue, index);
  }

  get cpus(): number {
    return this.slots;
  }

  get counted(): number {
    return this.inFlight;
  }

  get idle(): boolean {
    return this.#running.size < this.slots;
  }

  cpuUsed(): number {
    this.#count();
    return this.#busyTime;
  }

  lag(): number {
    return 0;
  }

  expected(work: number): number {
    if (this.idle) return work * this.slowness;
    this.#checkPlan();
    this.#plan ??= this.#planned();
    return this.#plan.earliest() - this.queue.now() + work * this.slowness;
  }

  /** A plan for another speed is useless. */
  #checkPlan(): void {
    if (this.#plan && this.#plan.slowness !== this.slowness) this.#plan = undefined;
  }

  #planned(): Plan {
    const plan = new Plan(
      Array.from(this.#running, ({ endsAt }) => endsAt),
      this.slowness,
    );
    for (const job of this.#waiting) plan.add(job);
    return plan;
  }

  protected begin(job: Job): void {
    if (this.idle) this.#start(job);
    else {
      this.#waiting.push(job);
      this.#checkPlan();
      this.#plan?.add(job);
    }
  }

  advance(job: Job): void {
    this.#count();
    this.#running.delete(job);
    this.finish(job);
    const next = this.#waiting.shift();
    if (next) this.#start(next);
    else {
      this.#plan = undefined;
      this.onIdle?.();
    }
  }

  #start(job: Job): void {
    this.#count();
    this.#checkPlan();
    this.#running.add(job);
    // A call keeps the speed that it started with.
    job.endsAt = this.queue.now() + job.work * this.slowness;
    this.queue.at(job.endsAt, job);
  }

  #count(): void {
    const now = this.queue.now();
    this.#busyTime += this.#running.size * (now - this.#since);
    this.#since = now;
  }
}

/**
 * When each slot will have finished its work, if the speed stays the same: waiting calls get the slots one after the
 * other, and only a new call changes that.
 */
class Plan {
  constructor(
    private readonly freeAt: number[],
    readonly slowness: number,
  ) {}

  earliest(): number {
    return this.freeAt[this.#next()]!;
  }

  add({ work }: Job): void {
    this.freeAt[this.#next()]! += work * this.slowness;
  }

  #next(): number {
    let next = 0;
    for (let i = 1; i < this.freeAt.length; i++) if (this.freeAt[i]! < this.freeAt[next]!) next = i;
    return next;
  }
}
