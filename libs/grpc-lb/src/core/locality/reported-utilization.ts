/** Calls in a row without a report, after which the zone no longer reports: what it has said may be out of date. */
const SILENT_CALLS = 30;

/** The utilization that the endpoints of a zone have reported recently: a mean over their reports, not over the endpoints. */
export class ReportedUtilization {
  #reports = 0;
  #sum = 0;
  #silentCalls = 0;

  /** @param atLeast Reports that are always remembered, as the calls of `LatencyStatistics` are. */
  constructor(private readonly atLeast: number) {}

  record(utilization: number): void {
    this.#reports++;
    this.#sum += utilization;
    this.#silentCalls = 0;
  }

  /** Called when a call has ended, before its report is recorded. */
  callEnded(): void {
    if (++this.#silentCalls > SILENT_CALLS) this.#reports = this.#sum = 0;
  }

  /** Forgets half of the reports, but keeps the last `atLeast`. */
  fade(): void {
    if (this.#reports <= this.atLeast) return;
    const kept = Math.max(0.5, this.atLeast / this.#reports);
    this.#reports *= kept;
    this.#sum *= kept;
  }

  get reports(): number {
    return this.#reports;
  }

  /** From 0; 0 before the first report. */
  get mean(): number {
    return this.#reports === 0 ? 0 : this.#sum / this.#reports;
  }
}
