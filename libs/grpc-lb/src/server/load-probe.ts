import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { CallTracker } from './call-tracker.js';
import { type CurrentLoad, LoadMeter, type ServerLoad } from './load-meter.js';
import { MomentaryLag } from './momentary-lag.js';

/**
 * A late timer shows the lag of the event loop; the interval is short, so that a stall of a tenth of a second is
 * measured almost in full.
 */
const TICK_MS = 50;
/** Steps of the sliding window. */
const STEPS = 10;

/** Measures this process, from `start` to `stop`. Its timer does not keep the process alive. */
export class LoadProbe {
  readonly #meter: LoadMeter;
  readonly #lagNow: MomentaryLag;
  #timer: NodeJS.Timeout | undefined;
  #lag = 0;
  #tickLag = 0;
  #tickAt = 0;
  #readAt = 0;
  #load: ServerLoad;

  constructor(
    private readonly calls: CallTracker,
    private readonly window: number,
    /** Is told of each turn in which calls arrived: its duration, and the delay of the last timer, in milliseconds. */
    turnEnded: (turn: number, lag: number) => void = () => {},
    cpus = availableCpus(),
  ) {
    this.#lagNow = new MomentaryLag(
      () => performance.now(),
      setImmediate,
      (turn) => turnEnded(turn, this.#tickLag),
    );
    this.#meter = new LoadMeter(window, cpus);
    this.#load = this.#meter.load({ inFlight: 0, eventLoopLagNow: 0, failuresInARow: 0, idleTime: 0, callDuration: 0 });
  }

  /** Whether it has started now; false if it runs already. */
  start(): boolean {
    if (this.#timer) return false;
    this.#tickAt = performance.now();
    this.#read();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A call has arrived. */
  callArrived(): void {
    this.#lagNow.sample();
  }

  /** The values of `CurrentLoad` are current; the rest is as of the last step. */
  load(): ServerLoad {
    return { ...this.#load, ...this.#current() };
  }

  #current(): CurrentLoad {
    const { inFlight, failureRun, lastEnd, duration } = this.calls;
    const idleTime = performance.now() - lastEnd;
    return {
      inFlight,
      eventLoopLagNow: this.#lagNow.read(),
      failuresInARow: failureRun.length,
      idleTime,
      callDuration: duration.mean,
    };
  }

  #tick(): void {
    const now = performance.now();
    this.#tickLag = now - this.#tickAt - TICK_MS;
    this.#lag = Math.max(this.#lag, this.#tickLag);
    this.#tickAt = now;
    if (now - this.#readAt >= this.window / STEPS) this.#read();
  }

  #read(): void {
    const { user, system } = process.cpuUsage();
    this.#readAt = performance.now();
    const { active } = performance.eventLoopUtilization();
    const { ended, errors, shed } = this.calls;
    const reading = { at: this.#readAt, cpu: (user + system) / 1000, active, calls: ended, errors, shed };
    this.#meter.add(reading, this.#lag);
    this.#lag = 0;
    this.#load = this.#meter.load(this.#current());
  }
}

/** CPUs that the process may use: all, or fewer by the quota of its container (cgroup v2). */
export function availableCpus(cpuMax = readCpuMax()): number {
  const cpus = availableParallelism();
  const [quota, period] = cpuMax.trim().split(' ').map(Number);
  return quota && period ? Math.min(cpus, quota / period) : cpus;
}

/** As in `150000 100000`: microseconds of CPU per period; `max` for no limit. Empty if the file does not exist. */
function readCpuMax(): string {
  try {
    return readFileSync('/sys/fs/cgroup/cpu.max', 'utf8');
  } catch {
    return '';
  }
}
