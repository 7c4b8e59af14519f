import { performance } from 'node:perf_hooks';
import type { ServiceError } from '@grpc/grpc-js';
import { Subject, takeUntil } from 'rxjs';
import { openLoop } from './open-loop.js';
import type { Phase } from './phase.js';
import { RecentCalls } from './recent-calls.js';
import { type CallOutcome, Tally } from './tally.js';

/** The window of the shares and latencies of each backend. */
export const RECENT_MS = 5000;

/** `draining`: no more calls start, and those in flight may finish. */
export type PhaseStatus = 'running' | 'draining' | 'done';

/** One phase, from its first call to the end of its last one. */
export class PhaseRun {
  readonly tally: Tally;
  readonly recent = new RecentCalls(RECENT_MS);
  readonly startedAt = performance.now();
  #status: PhaseStatus = 'running';
  #inFlight = 0;
  #idle: (() => void) | undefined;
  readonly #abandoned = new Subject<void>();

  constructor(
    readonly phase: Phase,
    addresses: readonly string[],
    private readonly deadlineMs: number,
  ) {
    this.tally = new Tally(phase.key, phase.policy, addresses);
  }

  get status(): PhaseStatus {
    return this.#status;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Makes calls until the time is over, then waits for the last answers; `stop` ends both and cancels calls in flight.
   */
  async run(ratePerSecond: number, stop: AbortSignal): Promise<void> {
    const durationMs = (this.phase.seconds ?? Infinity) * 1000;
    let number = 0;
    await openLoop(ratePerSecond, durationMs, stop, (intendedStart) => this.#call(String(++number), intendedStart));
    this.#status = 'draining';
    if (this.#inFlight > 0 && !stop.aborted) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        stop.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#status = 'done';
    this.#abandoned.next();
  }

  #call(id: string, intendedStart: number): void {
    this.#inFlight++;
    const end = (ok: boolean, address: string | null): void => {
      const now = performance.now();
      this.#ended(now, { ok, latencyMs: now - intendedStart, address });
    };
    const call = this.phase.find(id, { deadline: Date.now() + this.deadlineMs });
    call.pipe(takeUntil(this.#abandoned)).subscribe({
      next: (order) => end(true, order.servedBy),
      error: (error: Partial<ServiceError>) => end(false, error.metadata?.get('served-by')[0]?.toString() ?? null),
    });
  }

  #ended(now: number, outcome: CallOutcome): void {
    this.#inFlight--;
    this.tally.add(outcome);
    this.recent.add(now, outcome);
    if (this.#inFlight === 0) this.#idle?.();
  }
}
