import type { Metadata } from '@grpc/grpc-js';
import { printableError } from '../../core/printable.js';
import type {
  CallObservation,
  CallObserver,
  ObservedAttempt,
  ObservedCall,
  ObservedEnd,
  ObservedWeights,
  WaitReason,
} from './call-observer.js';

/** Passes everything on to an observer. If it throws, the call goes on; the first error is reported as a warning. */
export class GuardedObserver implements CallObserver {
  #warned = false;

  constructor(
    private readonly client: string,
    private readonly observer: CallObserver,
  ) {}

  callStarted(call: ObservedCall): CallObservation | undefined {
    try {
      const observation = this.observer.callStarted(call);
      return observation && new GuardedObservation(observation, this);
    } catch (error) {
      return this.warn(error);
    }
  }

  weightsUpdated(update: ObservedWeights): void {
    try {
      this.observer.weightsUpdated?.(update);
    } catch (error) {
      this.warn(error);
    }
  }

  warn(error: unknown): undefined {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      `The observer of client ${this.client} failed: ${printableError(error)}; its further errors are not reported`,
      'GrpcLbWarning',
    );
  }
}

/** Without a closure for each thing that is told, as calls are many. */
class GuardedObservation implements CallObservation {
  constructor(
    private readonly told: CallObservation,
    private readonly guard: GuardedObserver,
  ) {}

  waits(reason: WaitReason): void {
    try {
      this.told.waits?.(reason);
    } catch (error) {
      this.guard.warn(error);
    }
  }

  notSent(end: ObservedEnd | undefined): void {
    try {
      this.told.notSent?.(end);
    } catch (error) {
      this.guard.warn(error);
    }
  }

  attemptStarted(attempt: ObservedAttempt): void {
    try {
      this.told.attemptStarted?.(attempt);
    } catch (error) {
      this.guard.warn(error);
    }
  }

  headersReceived(attempt: number, metadata: Metadata): void {
    try {
      this.told.headersReceived?.(attempt, metadata);
    } catch (error) {
      this.guard.warn(error);
    }
  }

  messageSent(attempt: number, bytes: number): void {
    try {
      this.told.messageSent?.(attempt, bytes);
    } catch (error) {
      this.guard.warn(error);
    }
  }

  messageReceived(attempt: number, bytes: number): void {
    try {
      this.told.messageReceived?.(attempt, bytes);
    } catch (error) {
      this.guard.warn(error);
    }
  }

  attemptEnded(attempt: number, end: ObservedEnd): void {
    try {
      this.told.attemptEnded?.(attempt, end);
    } catch (error) {
      this.guard.warn(error);
    }
  }

  dropped(end: ObservedEnd): void {
    try {
      this.told.dropped?.(end);
    } catch (error) {
      this.guard.warn(error);
    }
  }

  ended(end: ObservedEnd): void {
    try {
      this.told.ended?.(end);
    } catch (error) {
      this.guard.warn(error);
    }
  }
}
