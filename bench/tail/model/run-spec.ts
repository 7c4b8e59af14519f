/** Everything that determines a run except the subject. Processes get it as JSON. */
export interface RunSpec {
  readonly scenario: string;
  readonly seed: number;
  /** Share of what all backends together can do. */
  readonly load: number;
  readonly clients: number;
  /** Milliseconds at full speed, in the mean. */
  readonly work: number;
  /** Seconds that do not count, and seconds that do. */
  readonly warmUp: number;
  readonly seconds: number;
  /** Milliseconds from the intended start of a call. */
  readonly deadline: number;
}
