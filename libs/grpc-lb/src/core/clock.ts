/** Stops a timer; calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void;

/**
 * Time as a parameter. All code in this package that waits or measures uses a clock, so that the same code runs in
 * production, on a virtual clock in tests and in the simulator.
 */
export interface Clock {
  /** Milliseconds that never go back, from an arbitrary start; may be fractional. */
  now(): number;
  /** Calls back once, after `delayMs`. The timer never keeps the process alive. */
  after(delayMs: number, callback: () => void): Cancel;
}
