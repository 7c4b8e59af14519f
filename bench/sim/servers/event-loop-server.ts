import { Deque } from '../engine/deque.js';
import type { Job } from './job.js';
import { Server } from './server.js';

/** Where a job is: it waits for the loop or runs on it, waits for another service, and comes back to the loop. */
const FIRST_TURN = 0;
const WAITING = 1;
const SECOND_TURN = 2;

/**
 * A Node backend: one event loop, on which each call has one turn before it waits for a database or another service,
 * and one after. While one call computes, all others wait.
 */
export class EventLoopServer extends Server {
  readonly #ready = new Deque<Job>();
  readonly cpus = 1;
  readonly reportsEventLoop = true;
  #running: Job | undefined;
  /** Work that is waiting for the loop. */
  #backlog = 0;
  #used = 0;
  #since = 0;
  /** Calls whose handler has started: the server does not know those that wait for their first turn. */
  counted = 0;

  get idle(): boolean {
    return this.#running === undefined;
  }

  cpuUsed(): number {
    return this.#used + (this.#running ? this.queue.now() - this.#since : 0);
  }

  /** A timer runs after all ready work. */
  lag(): number {
    return this.#backlog * this.slowness + (this.#running ? this.#running.endsAt - this.queue.now() : 0);
  }

  expected(work: number, io: number): number {
    return this.lag() + work * this.slowness + io;
  }

  protected begin(job: Job): void {
    job.phase = FIRST_TURN;
    this.#enter(job);
  }

  advance(job: Job): void {
    if (job.phase === WAITING) {
      job.phase = SECOND_TURN;
      this.#enter(job);
      return;
    }
    this.#used += this.queue.now() - this.#since;
    this.#running = undefined;
    if (job.phase === FIRST_TURN) {
      job.phase = WAITING;
      this.queue.at(this.queue.now() + job.io, job);
    } else {
      this.counted--;
      this.finish(job);
    }
    const next = this.#ready.shift();
    if (next) {
      this.#backlog -= next.work / 2;
      this.#start(next);
    } else if (this.onIdle) this.onIdle();
  }

  #enter(job: Job): void {
    if (this.idle) {
      this.#start(job);
      return;
    }
    this.#backlog += job.work / 2;
    this.#ready.push(job);
  }

  #start(job: Job): void {
    this.#running = job;
    this.#since = this.queue.now();
    job.endsAt = this.#since + (job.work / 2) * this.slowness;
    if (job.phase === FIRST_TURN) {
      this.counted++;
      this.handlerBegins();
    }
    this.queue.at(job.endsAt, job);
  }
}
