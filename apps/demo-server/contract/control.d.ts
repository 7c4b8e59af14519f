/** The messages between a backend and the process that started it, over Node's process channel. */

export interface Knobs {
  /** Mean duration of the work behind one `Find`, in milliseconds, before `factor`. */
  delayMs: number;
  /** How many times longer it takes: 3 is a backend three times slower than the others. */
  factor: number;
  /** The share of `Find` calls that fail with UNAVAILABLE after their work, from 0 to 1. */
  errorRate: number;
}

export type ToBackend =
  | { type: 'knobs'; knobs: Partial<Knobs> }
  /** Do nothing at all for so long, as a process that the system has stopped; then say "thawed". */
  | { type: 'freeze'; ms: number }
  /** End your streams, finish your calls, and exit. */
  | { type: 'shutdown' };

export type FromBackend =
  | { type: 'listening'; address: string }
  /** `Find` calls received and not answered; `queued` of them wait for a free slot. */
  | { type: 'load'; inFlight: number; queued: number }
  | { type: 'thawed' };
