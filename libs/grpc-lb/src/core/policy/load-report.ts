/** What a backend says of its load: an ORCA report (gRFC A51), in a trailer or out of band. */
export interface LoadReport {
  /** From 0; above 1 when the machine is allowed more than its share. */
  readonly cpuUtilization: number;
  /** As the application reckons it; 0 when it says nothing. */
  readonly applicationUtilization: number;
  /** Requests a second. */
  readonly rps: number;
  /** Errors a second. */
  readonly eps: number;
  /** Named metrics of the application's own, as `in_flight` and `event_loop_lag_now_ms`. */
  readonly namedMetrics: Readonly<Record<string, number>>;
}
