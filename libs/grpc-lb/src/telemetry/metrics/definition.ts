/** How the values of a metric add up. */
export type MetricKind = 'counter' | 'up_down_counter' | 'gauge' | 'histogram';

/** What a metric is, for OpenTelemetry and for Prometheus. */
export interface MetricDefinition {
  /** How its values add up. */
  readonly kind: MetricKind;
  /** As in UCUM: `s`, `By`, `1`, or what is counted in braces, such as `{call}`. */
  readonly unit: string;
  /** What it says, in one sentence. */
  readonly description: string;
  /** The labels that it always has. */
  readonly labels: readonly string[];
  /** The labels that it has where they apply. */
  readonly optionalLabels?: readonly string[];
  /** Upper bounds of the buckets of a histogram. */
  readonly buckets?: readonly number[];
  /** Where it is specified; `own` for those of this package. */
  readonly source: MetricSource;
}

/** The specification of a metric. */
export type MetricSource = 'A66' | 'A78' | 'A91' | 'A94' | 'A96' | 'A118' | 'A121' | 'semconv' | 'own';

/** gRFC A66, "Buckets for histograms in default views", latency in seconds. */
export const LATENCY_BUCKETS: readonly number[] = [
  0, 0.000_01, 0.000_05, 0.000_1, 0.000_3, 0.000_6, 0.000_8, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01,
  0.013, 0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 2,
  5, 10, 20, 50, 100,
];

/** gRFC A66, sizes in bytes. */
export const SIZE_BUCKETS: readonly number[] = [
  0, 1024, 2048, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864, 268_435_456,
  1_073_741_824, 4_294_967_296,
];

/** OpenTelemetry's semantic conventions for RPC metrics, in seconds. */
export const RPC_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** gRFC A96: "Recommended histogram bucket boundaries are [1,2,3,4,5]". */
export const ATTEMPT_BUCKETS: readonly number[] = [1, 2, 3, 4, 5];

/** gRFC A96, of transparent retries: "Recommended histogram bucket boundaries are [1,2,3,4,5,10]". */
export const TRANSPARENT_BUCKETS: readonly number[] = [1, 2, 3, 4, 5, 10];
