/** Totals since the start of the process, or of the server; only their differences are meaningful. */
export interface LoadReading {
  /** Milliseconds. */
  readonly at: number;
  /** Milliseconds of CPU time of the process; two CPUs at once count twice. */
  readonly cpu: number;
  /** Milliseconds in which the event loop was not idle. */
  readonly active: number;
  /** Calls that have ended, and those of them that failed through the server's fault. */
  readonly calls: number;
  readonly errors: number;
  /** Calls that were shed; they do not count as ended. */
  readonly shed?: number;
}

/** How busy a server is: utilization as a fraction of capacity, rates per second, over the window. */
export interface ServerLoad {
  /** CPU time of the process, as a fraction of the CPUs it may use. */
  readonly cpuUtilization: number;
  /** Fraction of time in which the event loop was busy; at 1 a single-threaded server is full. */
  readonly eventLoopUtilization: number;
  /** The longest delay of a timer in milliseconds. */
  readonly eventLoopLag: number;
  /** Milliseconds that the last work waited for the event loop. */
  readonly eventLoopLagNow: number;
  /** Calls that ended, per second. */
  readonly callsPerSecond: number;
  /** Calls that failed through the server's fault, per second. */
  readonly errorsPerSecond: number;
  /** Calls that were shed, per second. */
  readonly shedPerSecond: number;
  /** Calls in flight. */
  readonly inFlight: number;
  /**
   * Calls that failed through the server's fault one after the other, up to now; 0 while chance explains them, given how
   * many fail usually.
   */
  readonly failuresInARow: number;
  /** Milliseconds since the last call ended, or since the start of the server. */
  readonly idleTime: number;
  /**
   * Mean milliseconds of the last calls, about eight of them: those that are no streams and ended with OK, and those that
   * their callers gave up after a longer time. 0 before the first.
   */
  readonly callDuration: number;
}

/** Current values, not over the window. */
export type CurrentLoad = Pick<
  ServerLoad,
  'inFlight' | 'eventLoopLagNow' | 'failuresInARow' | 'idleTime' | 'callDuration'
>;

/**
 * What is asked of the server, as a share of what it can do: with what it sheds it is above 1.
 *
 * @param concurrency Calls that are worked on, as a share of the limit; 0 without a limit.
 */
export function utilizationOf(load: ServerLoad, concurrency: number): number {
  const { callsPerSecond, shedPerSecond } = load;
  const used = Math.max(load.eventLoopUtilization, Math.min(1, concurrency));
  return shedPerSecond > 0 ? used * (1 + shedPerSecond / Math.max(1, callsPerSecond)) : used;
}

/** Turns readings into load over a sliding window. */
export class LoadMeter {
  /** Oldest first; the first one is the start of the window. */
  readonly #samples: { readonly reading: LoadReading; readonly lag: number }[] = [];

  constructor(
    private readonly window: number,
    /** CPUs that the process may use, fractions included. */
    private readonly cpus: number,
  ) {}

  /** `lag` is the lag since the previous reading. */
  add(reading: LoadReading, lag: number): void {
    this.#samples.push({ reading, lag });
    while (this.#samples.length > 2 && reading.at - this.#samples[1]!.reading.at >= this.window) this.#samples.shift();
  }

  /** All zero until there are two readings. */
  load(now: CurrentLoad): ServerLoad {
    const first = this.#samples[0]?.reading;
    const last = this.#samples.at(-1)?.reading;
    const time = first && last ? last.at - first.at : 0;
    const share = (total: (reading: LoadReading) => number): number =>
      time > 0 ? Math.max(0, total(last!) - total(first!)) / time : 0;
    return {
      cpuUtilization: share(({ cpu }) => cpu) / this.cpus,
      eventLoopUtilization: Math.min(
        1,
        share(({ active }) => active),
      ),
      eventLoopLag: Math.max(0, ...this.#samples.slice(1).map(({ lag }) => lag)),
      callsPerSecond: 1000 * share(({ calls }) => calls),
      errorsPerSecond: 1000 * share(({ errors }) => errors),
      shedPerSecond: 1000 * share(({ shed = 0 }) => shed),
      ...now,
    };
  }
}
