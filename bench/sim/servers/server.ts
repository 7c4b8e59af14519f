import type { Endpoint } from '../../../libs/grpc-lb/src/core/endpoint.js';
import type { LoadReport } from '../../../libs/grpc-lb/src/core/policy/load-report.js';
import { FAILURES_IN_A_ROW, IDLE_TIME } from '../../../libs/grpc-lb/src/core/load/reported-failures.js';
import { FailureRun } from '../../../libs/grpc-lb/src/server/failure-run.js';
import { RecentDuration } from '../../../libs/grpc-lb/src/server/recent-duration.js';
import type { Refusal } from '../../../libs/grpc-lb/src/server/refusal.js';
import { LATER, type Shedder } from '../../../libs/grpc-lb/src/server/shedder.js';
import { MomentaryLag } from '../../../libs/grpc-lb/src/server/momentary-lag.js';
import type { EventQueue } from '../engine/event-queue.js';
import type { Job } from './job.js';
import { type Metered, ServerMeter } from './server-meter.js';

/** One backend. Its kind decides how its calls share it. */
export abstract class Server implements Metered {
  /** How many times longer everything takes than at full speed. */
  slowness = 1;
  /** The share of the calls that fail at once. */
  failing = 0;
  /** Sheds load as the server side does; undefined if it does not. */
  shedder: Shedder | undefined;
  /** Discovery names it. */
  listed = true;
  /** Calls that have arrived and not been answered. */
  inFlight = 0;
  maxInFlight = 0;
  ended = 0;
  errors = 0;
  /** Whether its failures carry its load report too, with the failures in a row. */
  reportsFailures = false;
  /** Calls back in the check phase of its event loop; a server that has none decides at once. */
  readonly setImmediate = (callback: () => void): void => callback();
  /** Called when it could start another job at once, and none is waiting. */
  onIdle: (() => void) | undefined;
  #meter: ServerMeter | undefined;
  readonly #failureRun = new FailureRun();
  readonly #duration = new RecentDuration();
  #lastEnd = 0;
  readonly #lagNow: MomentaryLag;

  constructor(
    protected readonly queue: EventQueue,
    readonly index: number,
  ) {
    // Work behind the ready work waits as long as a timer.
    const afterThisTurn = (callback: () => void): void => queue.at(queue.now() + this.lag(), { run: callback });
    this.#lagNow = new MomentaryLag(() => queue.now(), afterThisTurn);
  }

  get key(): string {
    return `10.0.${this.index >> 8}.${this.index & 255}:50051`;
  }

  /** Whether it could start another job at once. */
  abstract get idle(): boolean;
  /** How long a job would take if it arrived now, including all work that waits before it. */
  abstract expected(work: number, io: number): number;
  /** The current phase of a job is over. */
  abstract advance(job: Job): void;
  protected abstract begin(job: Job): void;
  /** The number of calls in the server's own counter. */
  abstract get counted(): number;
  /** Milliseconds of CPU used so far, and the number of CPUs. */
  abstract cpuUsed(): number;
  abstract readonly cpus: number;
  /** Whether the application reports the event loop as the CPU share that limits it (gRFC A51). */
  abstract readonly reportsEventLoop: boolean;
  /** How late a timer due now would be. */
  abstract lag(): number;

  lagOfNow(): number {
    return this.#lagNow.read();
  }

  /** Calls that it has shed. */
  get shed(): number {
    return this.shedder?.total ?? 0;
  }

  /** Calls that are worked on over the limit; 0 without one. */
  get concurrency(): number {
    return this.shedder?.utilization ?? 0;
  }

  get callDuration(): number {
    return this.#duration.mean;
  }

  get failureMetrics(): Readonly<Record<string, number>> {
    if (!this.reportsFailures) return {};
    return { [FAILURES_IN_A_ROW]: this.#failureRun.length, [IDLE_TIME]: this.queue.now() - this.#lastEnd };
  }

  /** The handler of a call starts. */
  protected handlerBegins(): void {
    this.#lagNow.sample();
  }

  accept(job: Job): void {
    job.server = this;
    job.arrivedAt = this.queue.now();
    if (job.luck < this.failing || job.luck === 0) {
      this.ended++;
      this.errors++;
      this.#failureRun.ended(true);
      this.#lastEnd = this.queue.now();
      job.answered(true);
      return;
    }
    this.arrived(job);
  }

  protected arrived(job: Job): void {
    const refusal = this.refusalOf(job);
    if (refusal === undefined || refusal === LATER) {
      this.admit(job);
      this.begin(job);
    } else job.shed(refusal);
  }

  /** How it ends if it is shed; a server that has no event loop decides at once. */
  protected refusalOf({ metadata }: Job): Refusal | typeof LATER | undefined {
    return metadata && this.shedder?.refuses(metadata);
  }

  protected admit(_job: Job): void {
    this.shedder?.started();
    this.inFlight++;
    if (this.inFlight > this.maxInFlight) this.maxInFlight = this.inFlight;
  }

  /** As in the trailer of an answer. The meter runs from the first query on. */
  report(): LoadReport {
    this.#meter ??= new ServerMeter(this.queue, this);
    return this.#meter.report();
  }

  /** Starts its meter. */
  startMeter(): void {
    this.#meter ??= new ServerMeter(this.queue, this);
  }

  protected finish(job: Job): void {
    this.leave();
    this.answer(job);
  }

  /** Its handler has ended. */
  protected leave(): void {
    this.shedder?.ended();
  }

  protected answer(job: Job): void {
    this.inFlight--;
    this.ended++;
    this.#failureRun.ended(false);
    this.#lastEnd = this.queue.now();
    // Streams do not count, nor do their messages.
    if (job.metadata) this.#duration.record(this.#lastEnd - job.arrivedAt);
    job.answered(false);
  }
}

/** As discovery lists it. */
export function endpointOf({ key }: Server): Endpoint {
  const [host, port] = key.split(':') as [string, string];
  return { address: { host, port: Number(port) } };
}
