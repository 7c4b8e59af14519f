/** An update of the weights of endpoints from their load reports (gRFC A58, "Subchannel Weights"). */
export interface WeightsUpdate {
  /** The weight of each endpoint; 0 for those without a usable one. */
  readonly weights: readonly number[];
  /** Endpoints that have not reported yet, or are within the blackout period. */
  readonly notYetUsable: number;
  /** Endpoints whose last report is older than the expiration period. */
  readonly stale: number;
  /** Whether there are fewer than two weights, so that all endpoints are equal. */
  readonly fallback: boolean;
}
