import type { PhaseStatus } from '../load/phase-run.js';
import type { RecentView } from '../load/recent-calls.js';
import type { Verdict } from './click-verdict.js';
import type { PhaseSummary } from '../load/tally.js';
import type { BackendProcess } from '../backend-process.js';

/** One backend in the table. */
export interface BackendRow {
  readonly address: string;
  /** Share of the calls answered in the last five seconds, from 0 to 1. */
  readonly share: number;
  /** Answered in this phase. */
  readonly calls: number;
  /** As the balanced client counts them; in the first phase as the backend reports them. */
  readonly inFlight: number;
  /** Milliseconds, over the last five seconds. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** The state of the endpoint in the balanced client; in the first phase only `up` or `down` is known. */
  readonly state: string;
  readonly reason: string | null;
  /** Its progress on the ramp of its slow start; 1 in the first phase, which has none. */
  readonly warmth: number;
  readonly process: BackendProcess['process'];
  readonly factor: number;
}

/** Everything that a view shows at one time: the terminal and the page draw the same frames. */
export interface Frame {
  readonly phase: { readonly key: string; readonly title: string; readonly policy: string };
  readonly phaseNumber: number;
  readonly phaseCount: number;
  readonly status: PhaseStatus;
  readonly elapsedSeconds: number;
  /** null: no limit. */
  readonly seconds: number | null;
  readonly rate: number;
  readonly inFlight: number;
  readonly summary: PhaseSummary;
  readonly lastSecond: RecentView;
  /** The calls of the last five seconds. */
  readonly recent: RecentView;
  readonly backends: readonly BackendRow[];
  /** The finished phases. */
  readonly before: readonly PhaseSummary[];
  /** What happens, in sentences. */
  readonly story: string;
  /** What the last click has cost; null before the first in this phase. */
  readonly verdict: Verdict | null;
  /** The last frames of the finished phases. */
  readonly finished: readonly FinishedPhase[];
}

/** What a phase looked like at its end. */
export interface FinishedPhase {
  readonly key: string;
  readonly recent: RecentView;
  readonly backends: readonly BackendRow[];
}

/** One second of the past, for the curve. */
export interface HistoryPoint {
  readonly second: number;
  readonly phase: string;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly errors: number;
}
