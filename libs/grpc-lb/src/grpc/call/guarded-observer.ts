import type { Metadata } from '@grpc/grpc-js';
import { onRejection } from '../../core/on-rejection.js';
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

/** Counts what is being told about calls at this moment: an observer may make calls, about which it is told as well. */
export interface Telling {
  telling: number;
}

/** Passes everything on to an observer. If it throws, the call goes on; the first error is reported as a warning. */
export class GuardedObserver implements CallObserver {
  #warned = false;

  constructor(
    private readonly client: string,
    private readonly observer: CallObserver,
    /** Shared by the observers of a client. */
    readonly group: Telling,
  ) {}

  callStarted(call: ObservedCall): CallObservation | undefined {
    try {
      const observation = this.observer.callStarted(call);
      onRejection(observation, this.warn);
      return observation && new GuardedObservation(observation, this);
    } catch (error) {
      return this.warn(error);
    }
  }

  weightsUpdated(update: ObservedWeights): void {
    this.group.telling++;
    try {
      onRejection(this.observer.weightsUpdated?.(update), this.warn);
    } catch (error) {
      this.warn(error);
    } finally {
      this.group.telling--;
    }
  }

  readonly warn = (error: unknown): undefined => {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      `The observer of client ${this.client} failed: ${printableError(error)}; its further errors are not reported`,
      'GrpcLbWarning',
    );
  };
}

/** Written out, since calls are many: one method that tells all by name would take three times as long. */
class GuardedObservation implements CallObservation {
  constructor(
    private readonly told: CallObservation,
    private readonly guard: GuardedObserver,
  ) {}

  waits(reason: WaitReason): void {
    const { guard, told } = this;
    guard.group.telling++;
    try {
      onRejection(told.waits?.(reason), guard.warn);
    } catch (error) {
      guard.warn(error);
    } finally {
      guard.group.telling--;
    }
  }

  notSent(end: ObservedEnd | undefined): void {
    const { guard, told } = this;
    guard.group.telling++;
    try {
      onRejection(told.notSent?.(end), guard.warn);
    } catch (error) {
      guard.warn(error);
    } finally {
      guard.group.telling--;
    }
  }

  attemptStarted(attempt: ObservedAttempt): void {
    const { guard, told } = this;
    guard.group.telling++;
    try {
      onRejection(told.attemptStarted?.(attempt), guard.warn);
    } catch (error) {
      guard.warn(error);
    } finally {
      guard.group.telling--;
    }
  }

  headersReceived(attempt: number, metadata: Metadata): void {
    const { guard, told } = this;
    guard.group.telling++;
    try {
      onRejection(told.headersReceived?.(attempt, metadata), guard.warn);
    } catch (error) {
      guard.warn(error);
    } finally {
      guard.group.telling--;
    }
  }

  messageSent(attempt: number, bytes: number): void {
    const { guard, told } = this;
    guard.group.telling++;
    try {
      onRejection(told.messageSent?.(attempt, bytes), guard.warn);
    } catch (error) {
      guard.warn(error);
    } finally {
      guard.group.telling--;
    }
  }

  messageReceived(attempt: number, bytes: number): void {
    const { guard, told } = this;
    guard.group.telling++;
    try {
      onRejection(told.messageReceived?.(attempt, bytes), guard.warn);
    } catch (error) {
      guard.warn(error);
    } finally {
      guard.group.telling--;
    }
  }

  attemptEnded(attempt: number, end: ObservedEnd): void {
    const { guard, told } = this;
    guard.group.telling++;
    try {
      onRejection(told.attemptEnded?.(attempt, end), guard.warn);
    } catch (error) {
      guard.warn(error);
    } finally {
      guard.group.telling--;
    }
  }

  dropped(end: ObservedEnd): void {
    const { guard, told } = this;
    guard.group.telling++;
    try {
      onRejection(told.dropped?.(end), guard.warn);
    } catch (error) {
      guard.warn(error);
    } finally {
      guard.group.telling--;
    }
  }

  ended(end: ObservedEnd): void {
    const { guard, told } = this;
    guard.group.telling++;
    try {
      onRejection(told.ended?.(end), guard.warn);
    } catch (error) {
      guard.warn(error);
    } finally {
      guard.group.telling--;
    }
  }
}
