import type { LoadReport } from '../../../libs/grpc-lb/src/core/policy/load-report.js';
import { CALL_DURATION } from '../../../libs/grpc-lb/src/core/load/reported-duration.js';
import { LoadMeter, type ServerLoad, utilizationOf } from '../../../libs/grpc-lb/src/server/load-meter.js';
import type { EventQueue, Task } from '../engine/event-queue.js';

/** The values that a meter reads from its server. */
export interface Metered {
  readonly counted: number;
  readonly ended: number;
  readonly errors: number;
  readonly shed: number;
  readonly concurrency: number;
  readonly cpus: number;
  readonly reportsEventLoop: boolean;
  readonly failureMetrics: Readonly<Record<string, number>>;
  /** Milliseconds that the last calls took. */
  readonly callDuration: number;
  cpuUsed(): number;
  /** How late a timer would be. */
  lag(): number;
  /** The same, as the server side measures it. */
  lagOfNow(): number;
}

/** As in this package's server side: `window` of its load reports, and the ticks of its probe. */
const WINDOW_MS = 5000;
const STEPS = 10;
const TICK_MS = 50;

/** The server side of load balancing on virtual time: its own `LoadMeter`, fed by a simulated server. */
export class ServerMeter implements Task {
  readonly #meter: LoadMeter;
  #load: ServerLoad;
  #lag = 0;
  #readAt = 0;

  constructor(
    private readonly queue: EventQueue,
    private readonly server: Metered,
  ) {
    this.#meter = new LoadMeter(WINDOW_MS, server.cpus);
    this.#read();
    this.#load = this.#meter.load({ inFlight: 0, eventLoopLagNow: 0, failuresInARow: 0, idleTime: 0, callDuration: 0 });
    this.#schedule();
  }

  report(): LoadReport {
    const { cpuUtilization, callsPerSecond, errorsPerSecond, eventLoopLag } = this.#load;
    const { reportsEventLoop, concurrency } = this.server;
    return {
      cpuUtilization,
      applicationUtilization: reportsEventLoop || concurrency > 0 ? utilizationOf(this.#load, concurrency) : 0,
      rps: callsPerSecond,
      eps: errorsPerSecond,
      namedMetrics: {
        in_flight: this.server.counted,
        event_loop_lag_ms: eventLoopLag,
        event_loop_lag_now_ms: this.server.lagOfNow(),
        ...(this.server.callDuration > 0 && { [CALL_DURATION]: this.server.callDuration }),
        ...this.server.failureMetrics,
      },
    };
  }

  /** A tick of the probe's timer. */
  run(): void {
    this.#lag = Math.max(this.#lag, this.server.lag());
    // Sums of ticks are inexact: half a tick of tolerance.
    if (this.queue.now() - this.#readAt >= WINDOW_MS / STEPS - TICK_MS / 2) this.#read();
    this.#schedule();
  }

  #schedule(): void {
    // Without an event loop, nothing happens between two readings.
    this.queue.at(this.queue.now() + (this.server.reportsEventLoop ? TICK_MS : WINDOW_MS / STEPS), this);
  }

  #read(): void {
    const cpu = this.server.cpuUsed();
    this.#readAt = this.queue.now();
    const { ended, errors, shed } = this.server;
    this.#meter.add({ at: this.#readAt, cpu, active: cpu, calls: ended, errors, shed }, this.#lag);
    this.#lag = 0;
    this.#load = this.#meter.load({
      inFlight: this.server.counted,
      eventLoopLagNow: this.server.lagOfNow(),
      failuresInARow: 0,
      idleTime: 0,
      callDuration: 0,
    });
  }
}
