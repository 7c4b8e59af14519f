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

  /** When the call was made. */
  get at(): number {
    return this.trace.at[this.index]!;
  }

  get work(): number {
    return this.trace.work[this.index]!;
  }

  get io(): number {
    return this.trace.io[this.index]!;
  }

  /** The call fails at once where the share of failing calls exceeds this: 0 to 1; with 0 it fails everywhere. */
  get luck(): number {
    return this.trace.luck[this.index]!;
  }

  /** The client that makes it, from 0 to 1. */
  get who(): number {
    return this.trace.who[this.index]!;
  }

  get seed(): number {
    return this.trace.seed;
  }
}
