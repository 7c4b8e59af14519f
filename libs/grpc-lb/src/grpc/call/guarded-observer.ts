import type { Metadata } from '@grpc/grpc-js';
import { printableError } from '../../core/printable.js';
import type { CallObservation, CallObserver, ObservedAttempt, ObservedCall, ObservedEnd } from './call-observer.js';

/** Passes everything on to an observer. If it throws, the call goes on; the first error is reported as a warning. */
export class GuardedObserver implements CallObserver {
  #warned = false;

  constructor(
    private readonly client: string,
    private readonly observer: CallObserver,
  ) {}

  callStarted(call: ObservedCall): CallObservation | undefined {
    const observation = this.safely(() => this.observer.callStarted(call));
    return observation && new GuardedObservation(observation, this);
  }

  safely<T>(tell: () => T): T | undefined {
    try {
      return tell();
    } catch (error) {
      this.#warn(error);
      return undefined;
    }
  }

  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      `The observer of client ${this.client} failed: ${printableError(error)}; its further errors are not reported`,
      'GrpcLbWarning',
    );
  }
}

class GuardedObservation implements CallObservation {
  constructor(
    private readonly told: CallObservation,
    private readonly guard: GuardedObserver,
  ) {}

  attemptStarted(attempt: ObservedAttempt): void {
    this.guard.safely(() => this.told.attemptStarted?.(attempt));
  }

  headersReceived(attempt: number, metadata: Metadata): void {
    this.guard.safely(() => this.told.headersReceived?.(attempt, metadata));
  }

  messageSent(attempt: number, bytes: number): void {
    this.guard.safely(() => this.told.messageSent?.(attempt, bytes));
  }

  messageReceived(attempt: number, bytes: number): void {
    this.guard.safely(() => this.told.messageReceived?.(attempt, bytes));
  }

  attemptEnded(attempt: number, end: ObservedEnd): void {
    this.guard.safely(() => this.told.attemptEnded?.(attempt, end));
  }

  dropped(end: ObservedEnd): void {
    this.guard.safely(() => this.told.dropped?.(end));
  }

  ended(end: ObservedEnd): void {
    this.guard.safely(() => this.told.ended?.(end));
  }
}
