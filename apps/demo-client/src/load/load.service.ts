import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { settings } from '../settings.js';
import { type Phase, PHASES } from './phase.js';
import { PhaseRun } from './phase-run.js';
import type { PhaseSummary } from './tally.js';

/** Runs the phases one after the other. */
@Injectable()
export class LoadService implements OnModuleDestroy {
  readonly #stop = new AbortController();
  readonly #runs: PhaseRun[] = [];

  constructor(@Inject(PHASES) private readonly phases: readonly Phase[]) {}

  get phaseCount(): number {
    return this.phases.length;
  }

  /** The phases that have started; the last one is the current one. */
  get runs(): readonly PhaseRun[] {
    return this.#runs;
  }

  /** Of the phases that have started, including the unfinished one. */
  summaries(): PhaseSummary[] {
    return this.#runs.map((run) => run.tally.summary());
  }

  /** Resolves when the last phase is over, or after `onModuleDestroy`. */
  async run(onPhaseEnd: () => void): Promise<void> {
    for (const phase of this.phases) {
      if (this.#stop.signal.aborted) return;
      const run = new PhaseRun(phase, settings.addresses, settings.deadlineMs);
      this.#runs.push(run);
      await run.run(settings.rate, this.#stop.signal);
      onPhaseEnd();
    }
  }

  onModuleDestroy(): void {
    this.#stop.abort();
  }
}
