import type { DoctorCode, DoctorSeverity } from './codes.js';

/** `certain`: measured. `likely`: inferred; the evidence says from what. */
export type DoctorCertainty = 'certain' | 'likely';

/** One thing that is wrong. */
export interface DoctorFinding {
  /** Stable, for programs. */
  readonly code: DoctorCode;
  /** How bad it is. */
  readonly severity: DoctorSeverity;
  /** How sure the doctor is. */
  readonly certainty: DoctorCertainty;
  /** What was seen, at most five lines, each printable and at most 500 characters long. */
  readonly evidence: readonly string[];
  /** What to do. */
  readonly remedy: string;
  /** The endpoints concerned, at most 20; empty if the finding is not about endpoints. */
  readonly addresses: readonly string[];
}

/** The checks, in the order of a report. */
export const DOCTOR_CHECKS = [
  'options',
  'client-certificates',
  'grpc-js-copies',
  'proxies',
  'discovery',
  'single-address',
  'address-families',
  'connection',
  'tls',
  'health',
  'services',
  'stream-limit',
  'keepalive',
  'clock',
] as const;

/** What was examined. */
export type DoctorCheckName = (typeof DOCTOR_CHECKS)[number];

/** The outcome of one check, over all endpoints. */
export interface DoctorCheck {
  /** What was examined. */
  readonly name: DoctorCheckName;
  /** `not-checked` if it did not apply, was switched off, or could not be seen; `detail` says why. */
  readonly status: 'ok' | 'findings' | 'not-checked';
  /** One line: what was seen, or why it was not checked. */
  readonly detail: string;
}

/** The result of `runDoctor`; what `--json` prints. */
export interface DoctorReport {
  /** The version of this format. Fields may be added without a new one. */
  readonly version: 1;
  /** The target, without secrets. */
  readonly target: string;
  /** No finding is an error or a warning. */
  readonly healthy: boolean;
  /** When it began, as in `2026-01-31T12:00:00.000Z`. */
  readonly startedAt: string;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
  /** How many endpoints discovery found. */
  readonly endpoints: number;
  /** The endpoints that were examined. */
  readonly examined: readonly string[];
  /** Errors first, then warnings and notes; one for each code, in an order that does not change. */
  readonly findings: readonly DoctorFinding[];
  /** All checks, in an order that does not change. */
  readonly checks: readonly DoctorCheck[];
}
