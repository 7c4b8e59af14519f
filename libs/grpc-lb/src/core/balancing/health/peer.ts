import type { RecentResults } from './recent-results.js';

/** Why an endpoint should be ejected: the failures among its calls since a time. */
export interface Verdict {
  readonly reason: string;
  readonly failures: number;
  readonly calls: number;
  readonly since: number;
  /** Whether the failures are consecutive; otherwise they are a share of all calls in the window. */
  readonly inARow: boolean;
  /** How many failures in a row the endpoint itself has reported last, of all its clients; undefined if it has not. */
  readonly reported?: number;
}

/** An endpoint as the comparison with others sees it. */
export interface Peer {
  /** Whether calls can reach it, healthy or not. */
  readonly connected: boolean;
  /** Whether it is connected, reports that it serves, and is not ejected. */
  readonly healthy: boolean;
  /** Whether it is ejected, or waits for its probe. */
  readonly ejected: boolean;
  /** Whether its own results ask for an ejection, whatever the others do. */
  readonly accused: boolean;
  /** Why it is ejected. */
  readonly verdict: Verdict | undefined;
  readonly recent: RecentResults;
  /** Its results in the window. */
  readonly results: { readonly calls: number; readonly rate: number };
  /** Its recent failure rate, which fades with time. */
  readonly failureRate: number;
  /** Ends its ejection as a mistake. */
  withdraw(): void;
  /** Discards its failures from its load, because they were not its own fault. */
  forgetFailures(): void;
  /** Recomputes its load multiplier; returns whether it is above 1. */
  refresh(now: number): boolean;
}

/** A number of calls, and how many of them failed. */
export interface Tally {
  readonly calls: number;
  readonly failures: number;
}
