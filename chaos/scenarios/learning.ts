/** The policies that learn from failures and latencies. */
export const LEARNING = ['least_request', 'adaptive', 'peak_ewma', 'hot_cold'] as const;
