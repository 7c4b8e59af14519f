import { MomentaryLag } from '../../../libs/grpc-lb/src/server/momentary-lag.js';
import type { Refusal } from '../../../libs/grpc-lb/src/server/refusal.js';
import { LATER } from '../../../libs/grpc-lb/src/server/shedder.js';
import { Deque } from '../engine/deque.js';
import type { EventQueue, Task } from '../engine/event-queue.js';
import type { Job } from './job.js';
import { Server } from './server.js';

/** Milliseconds that it costs to shed a call: headers are parsed, and trailers sent. */
const REFUSAL_MS = 0.1;
/** As in this package's server side: how often its probe looks how late a timer is. */
const TICK_MS = 50;

/**
 * A Node backend whose handlers block the event loop, turn by turn; those that wait for another service do half of their
 * work before, and half after. In its poll phase a turn takes what has arrived, connection by connection: of each the
 * calls are admitted or shed first, then their handlers run one after the other, and then their answers are written, as
 * Node's HTTP/2 does. In its check phase immediates run; what they answer is written in the next check phase.
 */
export class TurnServer extends Server implements Task {
  readonly cpus = 1;
  readonly reportsEventLoop = true;
  /** In the buffers of the kernel. */
  readonly #arrived = new Deque<Job>();
  /** Those whose other service has answered. */
  readonly #returned: Job[] = [];
  readonly #immediates: (() => void)[] = [];
  /** Calls that are answered, with how they have been shed, when what they wait for is written. */
  readonly #unsent: { readonly job: Job; readonly refusal: Refusal | undefined }[] = [];
  /** Those that begin to wait for another service when the present part of the turn is over. */
  readonly #waits: Job[] = [];
  /** The present turn, which yields the milliseconds that each part of it takes; undefined if there is nothing to do. */
  #turn: Iterator<number, void> | undefined;
  /** What the present part of the turn costs, in milliseconds. */
  #cost = 0;
  #began = 0;
  #endsAt = 0;
  #used = 0;
  #tickDue = TICK_MS;
  #tickLag = 0;
  readonly #measure: MomentaryLag;

  constructor(queue: EventQueue, index: number) {
    super(queue, index);
    this.#measure = new MomentaryLag(
      () => queue.now(),
      this.setImmediate,
      (turn) => this.shedder?.measured(turn, this.#tickLag),
    );
  }

  get idle(): boolean {
    return this.#turn === undefined;
  }

  get counted(): number {
    return this.inFlight;
  }

  cpuUsed(): number {
    return this.#used + (this.idle ? 0 : this.queue.now() - this.#began);
  }

  lag(): number {
    return this.idle ? 0 : this.#endsAt - this.queue.now();
  }

  expected(work: number): number {
    let waiting = 0;
    for (const job of this.#arrived) waiting += job.work;
    return this.lag() + (waiting + work) * this.slowness;
  }

  /** As Node's. */
  override readonly setImmediate = (callback: () => void): void => {
    this.#immediates.push(callback);
    this.#wake();
  };

  protected override arrived(job: Job): void {
    this.#arrived.push(job);
    this.#wake();
  }

  protected begin(): void {
    // A turn begins the work of all that has arrived.
  }

  advance(job: Job): void {
    this.#returned.push(job);
    this.#wake();
  }

  #wake(): void {
    if (!this.idle) return;
    const now = this.queue.now();
    // The timer has run when it was due.
    if (this.#tickDue < now) {
      this.#tickDue = now + TICK_MS;
      this.#tickLag = 0;
    }
    this.#began = now;
    this.#turn = this.#nextTurn();
    this.run();
  }

  run(): void {
    for (;;) {
      const { done, value } = this.#turn!.next();
      if (!done) {
        this.#endsAt = this.queue.now() + value;
        return this.queue.at(this.#endsAt, this);
      }
      if (this.#arrived.length + this.#returned.length + this.#immediates.length + this.#unsent.length === 0) break;
      this.#turn = this.#nextTurn();
    }
    this.#used += this.queue.now() - this.#began;
    this.#turn = undefined;
    this.onIdle?.();
  }

  *#nextTurn(): Iterator<number, void> {
    this.#tick();
    for (const job of this.#returned.splice(0)) {
      this.#cost += (job.work / 2) * this.slowness;
      this.#leave(job);
    }
    yield* this.#part();
    this.#write();
    for (const jobs of this.#byConnection()) {
      const admitted = jobs.filter((job) => this.#admits(job));
      for (const job of admitted) this.#perform(job);
      yield* this.#part();
      this.#write();
    }
    this.#write();
    for (const callback of this.#immediates.splice(0)) {
      callback();
      yield* this.#part();
    }
  }

  /** A timer runs at the beginning of a turn, and is set anew then. */
  #tick(): void {
    const now = this.queue.now();
    if (now < this.#tickDue) return;
    this.#tickLag = now - this.#tickDue;
    this.#tickDue = now + TICK_MS;
  }

  *#part(): Generator<number, void> {
    const cost = this.#cost;
    this.#cost = 0;
    if (cost > 0) yield cost;
    for (const job of this.#waits.splice(0)) this.queue.at(this.queue.now() + job.io, job);
  }

  #admits(job: Job): boolean {
    this.#measure.sample();
    const refusal = this.refusalOf(job);
    if (refusal === LATER) this.shedder!.postpone(job.metadata!, (later) => this.#decided(job, later));
    else if (refusal) this.#refuse(job, refusal);
    else this.admit(job);
    return refusal === undefined;
  }

  #decided(job: Job, refusal: Refusal | undefined): void {
    this.#measure.sample();
    if (refusal) return this.#refuse(job, refusal);
    this.admit(job);
    this.#perform(job);
  }

  #refuse(job: Job, refusal: Refusal): void {
    this.#cost += REFUSAL_MS;
    this.#unsent.push({ job, refusal });
  }

  #perform(job: Job): void {
    this.handlerBegins();
    if (job.io > 0) {
      this.#waits.push(job);
      this.#cost += (job.work / 2) * this.slowness;
    } else {
      this.#leave(job);
      this.#cost += job.work * this.slowness;
    }
  }

  #leave(job: Job): void {
    this.leave();
    this.#unsent.push({ job, refusal: undefined });
  }

  #write(): void {
    for (const { job, refusal } of this.#unsent.splice(0)) {
      if (refusal) job.shed(refusal);
      else this.answer(job);
    }
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
