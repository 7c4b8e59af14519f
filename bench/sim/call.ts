import type { CallInfo } from '../../libs/grpc-lb/src/core/policy/policy.js';
import type { Method, Trace } from './workload.js';

/** One call as its caller sees it: it may take several attempts. */
export class Call {
  attempts = 0;

  constructor(
    private readonly trace: Trace,
    readonly index: number,
    readonly method: Method,
    readonly info: CallInfo,
  ) {}

  /** When it was made. */
  get at(): number {
    return this.trace.at[this.index]!;
  }

  get work(): number {
    return this.trace.work[this.index]!;
  }

  get io(): number {
    return this.trace.io[this.index]!;
  }

  /** It fails at once where more calls fail than that: 0 to 1, and wherever it goes with 0. */
  get luck(): number {
    return this.trace.luck[this.index]!;
  }

  /** Which client makes it, from 0 to 1. */
  get who(): number {
    return this.trace.who[this.index]!;
  }

  get seed(): number {
    return this.trace.seed;
  }
}
