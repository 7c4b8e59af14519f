/** The load report of a backend: an ORCA report (gRFC A51), in a trailer or out of band. */
export interface LoadReport {
  /** From 0; above 1 if the backend may use more than its share of the machine. */
  readonly cpuUtilization: number;
  /** As the application defines it; 0 if not reported. */
  readonly applicationUtilization: number;
  /** Share of the memory in use, from 0; absent if not reported. */
  readonly memUtilization?: number | undefined;
  /** Requests per second. */
  readonly rps: number;
  /** Errors per second. */
  readonly eps: number;
  /** Custom metrics of the application, such as `in_flight` and `event_loop_lag_now_ms`. */
  readonly namedMetrics: Readonly<Record<string, number>>;
  /** How much of other resources is in use, by the application's names; absent if not reported. */
  readonly utilization?: Readonly<Record<string, number>> | undefined;
}
