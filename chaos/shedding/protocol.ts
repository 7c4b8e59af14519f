export interface BackendSpec {
  readonly port: number;
  /** Milliseconds that a call blocks the event loop. */
  readonly block: number;
  /** Whether it has the server side, which sheds; else it is plain Nest. */
  readonly sheds: boolean;
}

export type Level = 'critical' | 'sheddable_plus' | 'sheddable';

/** A load for a while: a share of the calls for each criticality. */
export interface Phase {
  /** A share of what the backends can do. */
  readonly load: number;
  readonly seconds: number;
}

export interface ClientSpec {
  readonly addresses: readonly string[];
  readonly balanced: boolean;
  readonly phases: readonly Phase[];
  /** How many clients, with connections of their own, take turns. */
  readonly clients: number;
  /** Calls in flight at each backend, and seconds, for as many calls as it can do. */
  readonly calibration: { readonly inFlight: number; readonly seconds: number };
  /** What critical calls need, as a share of what the backends can do. */
  readonly critical: number;
  /** Milliseconds. */
  readonly deadline: number;
}

/** What one second has shown. */
export interface Second {
  /** Since the start. */
  readonly at: number;
  readonly phase: number;
  readonly calls: number;
  readonly ok: number;
  /** Milliseconds of the calls that succeeded. */
  readonly latencies: readonly number[];
  readonly critical: number;
  readonly criticalOk: number;
  /** Attempts on the wire; calls, where they are not counted. */
  readonly attempts: number;
  readonly heap: number;
}

export type FromShedding =
  | { readonly type: 'listening' }
  | { readonly type: 'ended'; readonly capacity: number; readonly seconds: readonly Second[] };
