import { Injectable } from '@nestjs/common';
import type { PhaseRun } from '../load/phase-run.js';
import type { Action } from '../action.js';

/** What the last click has cost. */
export interface Verdict {
  readonly action: Action;
  readonly address: string;
  readonly secondsAgo: number;
  /** Calls that have failed since the click. */
  readonly lost: number;
}

interface Click {
  readonly action: Action;
  readonly address: string;
  readonly at: number;
  readonly run: PhaseRun;
  readonly errorsBefore: number;
}

/** Counts the calls that were lost since the last click on a button that breaks something. */
@Injectable()
export class ClickVerdict {
  #click: Click | undefined;

  clicked(action: Action, address: string, run: PhaseRun | undefined, now: number): void {
    if (run) this.#click = { action, address, at: now, run, errorsBefore: run.tally.summary().errors };
  }

  /** Null if nothing has been clicked in this phase. */
  verdict(run: PhaseRun, now: number): Verdict | null {
    if (this.#click?.run !== run) return null;
    const { action, address, at, errorsBefore } = this.#click;
    return { action, address, secondsAgo: (now - at) / 1000, lost: run.tally.summary().errors - errorsBefore };
  }
}
