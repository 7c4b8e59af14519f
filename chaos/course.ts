/** What was done to one backend. */
export interface Fault {
  /** `host:port` */
  readonly victim: string;
  readonly from: number;
  /** When it was healthy again, or when the scenario stopped looking. */
  readonly to: number;
  /** It is no fault: the backend joins. */
  readonly joins?: true;
  /** When it closed its port, if it did so in an orderly way. */
  readonly closing?: number;
  /** When its process was gone, if it was killed: the system takes a while to clear it away. */
  readonly gone?: number;
}

/** What a scenario has done to one subject. */
export interface Course {
  readonly faults: readonly Fault[];
  /** Of these times the latency is taken. Default: from the first fault to the end of the last. */
  readonly window?: readonly [from: number, to: number];
  /** Milliseconds before it that are compared. Default 2000. */
  readonly before?: number;
}
