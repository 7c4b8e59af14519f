import type { Refusal } from '../../../libs/grpc-lb/src/server/refusal.js';
import { LATER } from '../../../libs/grpc-lb/src/server/shedder.js';
import { Deque } from '../engine/deque.js';
import type { Task } from '../engine/event-queue.js';
import type { Job } from './job.js';
import { Server } from './server.js';

/** Milliseconds that it costs to shed a call: headers are parsed, and trailers sent. */
const REFUSAL_MS = 0.1;
/** As in this package's server side: how often its probe looks how late a timer is. */
const TICK_MS = 50;

/**
 * A Node backend whose handlers block the event loop, turn by turn; those that wait for another service do half of their
 * work before, and half after. A turn takes what has arrived since the last one,
 * connection by connection: of each the calls are admitted or shed first, and then their handlers run one after the
 * other. Answers are written when the turn ends, as Node's HTTP/2 does.
 */
export class TurnServer extends Server implements Task {
  readonly cpus = 1;
  readonly reportsEventLoop = true;
  /** In the buffers of the kernel. */
  readonly #arrived = new Deque<Job>();
  /** Those whose other service has answered. */
  readonly #returned: Job[] = [];
  /** Whether calls have arrived in this turn: others are not measured. */
  #measures = false;
  #busy = false;
  #began = 0;
  #endsAt = 0;
  #used = 0;
  #tickDue = TICK_MS;
  #tickLag = 0;
  /** Calls that are answered, with how they have been shed, when the present part of the turn is over. */
  readonly #answers: { readonly job: Job; readonly refusal: Refusal | undefined }[] = [];
  /** Those that wait for another service when the present part of the turn is over. */
  readonly #waits: Job[] = [];
  /** Whether those run that were postponed to the end of the turn before. */
  #late = false;
  #lateCost = 0;

  get idle(): boolean {
    return !this.#busy;
  }

  get counted(): number {
    return this.inFlight;
  }

  cpuUsed(): number {
    return this.#used + (this.#busy ? this.queue.now() - this.#began : 0);
  }

  lag(): number {
    return this.#busy ? this.#endsAt - this.queue.now() : 0;
  }

  expected(work: number): number {
    let waiting = 0;
    for (const job of this.#arrived) waiting += job.work;
    return this.lag() + (waiting + work) * this.slowness;
  }

  protected override arrived(job: Job): void {
    this.#arrived.push(job);
    if (!this.#busy) this.#begin();
  }

  protected begin(): void {
    // A turn begins the work of all that has arrived.
  }

  advance(job: Job): void {
    this.#returned.push(job);
    if (!this.#busy) this.#begin();
  }

  #begin(): void {
    const now = this.queue.now();
    if (!this.#busy) this.#began = now;
    this.#busy = true;
    let cost = 0;
    for (const job of this.#returned.splice(0)) {
      cost += (job.work / 2) * this.slowness;
      this.#leave(job);
    }
    if (this.#arrived.length > 0) this.#measures = true;
    for (const jobs of this.#byConnection()) {
      const admitted: Job[] = [];
      for (const job of jobs) {
        const refusal = this.refusalOf(job);
        if (refusal === LATER) this.shedder!.postpone(job.metadata!, (later) => this.#decided(job, later));
        else if (refusal) this.#refuse(job, refusal);
        else admitted.push(job);
        if (refusal) cost += REFUSAL_MS;
        else this.admit(job);
      }
      for (const job of admitted) cost += this.#perform(job);
    }
    this.#wait(cost);
  }

  /** Milliseconds. */
  #perform(job: Job): number {
    this.handlerBegins();
    if (job.io === 0) {
      this.#leave(job);
      return job.work * this.slowness;
    }
    this.#waits.push(job);
    return (job.work / 2) * this.slowness;
  }

  #leave(job: Job): void {
    this.leave();
    this.#answers.push({ job, refusal: undefined });
  }

  #refuse(job: Job, refusal: Refusal): void {
    this.#answers.push({ job, refusal });
  }

  #wait(cost: number): void {
    this.#endsAt = this.queue.now() + cost;
    this.queue.at(this.#endsAt, this);
  }

  run(): void {
    for (const { job, refusal } of this.#answers.splice(0)) {
      if (refusal) job.shed(refusal);
      else this.answer(job);
    }
    for (const job of this.#waits.splice(0)) this.queue.at(this.queue.now() + job.io, job);
    const isLate = this.#late;
    this.#late = false;
    // Postponed calls run before the event loop looks for new ones, in the same turn as those.
    if (isLate && this.#arrived.length + this.#returned.length > 0) this.#begin();
    else this.#end();
  }

  #end(): void {
    const now = this.queue.now();
    const turn = now - this.#began;
    this.#used += turn;
    this.#busy = false;
    this.#began = now;
    if (this.#measures) this.shedder?.measured(turn, this.#tickLag);
    this.#measures = this.#late;
    // A timer runs at the beginning of a turn, and is set anew then.
    this.#tickLag = Math.max(0, now - this.#tickDue);
    if (now >= this.#tickDue) this.#tickDue = now + TICK_MS;
    if (this.#late) {
      this.#busy = true;
      this.#wait(this.#lateCost);
      this.#lateCost = 0;
    } else if (this.#arrived.length + this.#returned.length > 0) this.#begin();
    else this.onIdle?.();
  }

  /** Called at the end of a turn. */
  #decided(job: Job, refusal: Refusal | undefined): void {
    if (refusal) return job.shed(refusal);
    this.#late = true;
    this.admit(job);
    this.#lateCost += this.#perform(job);
  }

  #byConnection(): Iterable<Job[]> {
    const connections = new Map<number, Job[]>();
    for (let job = this.#arrived.shift(); job; job = this.#arrived.shift()) {
      const known = connections.get(job.connection);
      if (known) known.push(job);
      else connections.set(job.connection, [job]);
    }
    return connections.values();
  }
}
