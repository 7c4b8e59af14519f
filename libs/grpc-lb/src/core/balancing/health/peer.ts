import type { RecentResults } from './recent-results.js';

/** Why an endpoint should be ejected: so many failures of so many calls, since then. */
export interface Verdict {
  readonly reason: string;
  readonly failures: number;
  readonly calls: number;
  readonly since: number;
  /** They came one after the other; else they are a share of all calls of the window. */
  readonly inARow: boolean;
}

/** An endpoint, as far as the others are compared with it. */
export interface Peer {
  /** Calls can reach it, for better or worse. */
  readonly connected: boolean;
  /** It is connected, says that it serves, and is not ejected. */
  readonly healthy: boolean;
  /** Left out for a while, or waiting for the call that decides. */
  readonly ejected: boolean;
  /** Its own record says that it is ill, whatever the others do. */
  readonly accused: boolean;
  /** Why it is ejected. */
  readonly verdict: Verdict | undefined;
  readonly recent: RecentResults;
  /** Its results of the window. */
  readonly results: { readonly calls: number; readonly rate: number };
  /** Its recent share of failures, which fades with time. */
  readonly failureRate: number;
  /** Its ejection was a mistake. */
  withdraw(): void;
  /** Its failures were nothing of its own: they do not count in its load. */
  forgetFailures(): void;
  /** Works out its load factor again; true if it is more than 1. */
  refresh(): boolean;
}

/** How many calls, and how many of them failed. */
export interface Tally {
  readonly calls: number;
  readonly failures: number;
}
