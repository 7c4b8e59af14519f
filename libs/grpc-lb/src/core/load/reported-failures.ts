import type { LoadReport } from '../policy/load-report.js';

/**
 * The metric in which the server side of this package reports how many of its calls, by all clients, have failed one
 * after the other; 0 while chance explains them.
 */
export const FAILURES_IN_A_ROW = 'failures_in_a_row';

/** Milliseconds since the last call of the server ended, beside `failures_in_a_row`. */
export const IDLE_TIME = 'idle_ms';

/** A backend that fails at least this share of its calls fails everything; some of its methods may be trivial. */
const ALL = 0.95;
/** Calls of the last second that say enough. */
const ENOUGH = 5;

/**
 * How many failures in a row a report stands for; 0 if it does not say that its backend fails everything. Backends
 * without the server side may report it by the rates of all calls and of errors (gRFC A51).
 */
export function reportedFailures(report: LoadReport | undefined): number {
  if (report === undefined) return 0;
  const { rps, eps, namedMetrics } = report;
  const rates = eps >= ENOUGH && eps >= ALL * rps ? eps : 0;
  return Math.floor(namedMetrics[FAILURES_IN_A_ROW] ?? rates);
}

/**
 * What a backend that has failed everything tells when it is asked: whether the calls of other clients show that it
 * serves again, or that it still fails. `unknown`: no client has called it recently, or it does not say.
 *
 * @param known How many failures in a row it reported with its last failure.
 * @param freshMs Milliseconds after which its last call is out of date, so that a call must try again.
 */
export function newsOf(report: LoadReport | undefined, known: number, freshMs: number): 'serves' | 'fails' | 'unknown' {
  if (report === undefined) return 'unknown';
  const { rps, eps, namedMetrics } = report;
  const run = namedMetrics[FAILURES_IN_A_ROW];
  if (run === 0) return 'serves';
  if (run !== undefined) return run > known && (namedMetrics[IDLE_TIME] ?? 0) < freshMs ? 'fails' : 'unknown';
  if (rps > 0 && eps === 0) return 'serves';
  return eps > 0 && eps >= ALL * rps ? 'fails' : 'unknown';
}
