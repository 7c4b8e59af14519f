import type { StatusObject } from '@grpc/grpc-js';
import type { CallEnd } from '../../core/resume/resume-rules.js';
import { asksToBeginAgain } from '../../grpc/call/stream-signals.js';

/** The end of one of the calls of a stream. */
export class StreamEnd implements CallEnd {
  constructor(
    readonly status: StatusObject,
    readonly sent: boolean,
    readonly local: boolean,
    /** The address of the backend that it was sent to; undefined if it was not sent, or is not known. */
    readonly peer?: string,
  ) {}

  get code(): number {
    return this.status.code;
  }

  get details(): string {
    return this.status.details;
  }

  get beginAgain(): boolean {
    return asksToBeginAgain(this.status.metadata);
  }
}
