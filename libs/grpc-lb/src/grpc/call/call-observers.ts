import type {
  CallObservation,
  CallObserver,
  ObservedAttempt,
  ObservedCall,
  ObservedEnd,
  ObservedWeights,
  WaitReason,
} from './call-observer.js';
import { GuardedObserver, type Telling } from './guarded-observer.js';
import type { Metadata } from '@grpc/grpc-js';

/** The observers of one client. */
export class CallObservers implements Telling {
  /** Above 0 while an observer is told of a step of a call: what it does to calls has to wait for the end of that step. */
  telling = 0;
  /** Tells all of them; undefined if there is none, so that a call without observers compares once. */
  all: CallObserver | undefined;
  #observers: readonly GuardedObserver[] = [];

  constructor(private readonly client: string) {}

  /** Adds an observer of the calls that start from now on. Returns a function that removes it. */
  add(observer: CallObserver): () => void {
    const guarded = new GuardedObserver(this.client, observer, this);
    this.#set([...this.#observers, guarded]);
    return () => this.#set(this.#observers.filter((each) => each !== guarded));
  }

  #set(observers: readonly GuardedObserver[]): void {
    this.#observers = observers;
    this.all = observers.length > 1 ? new SeveralObservers(observers) : observers[0];
  }
}

class SeveralObservers implements CallObserver {
  constructor(private readonly observers: readonly CallObserver[]) {}

  callStarted(call: ObservedCall): CallObservation | undefined {
    const observations: CallObservation[] = [];
    for (const observer of this.observers) {
      const observation = observer.callStarted(call);
      if (observation) observations.push(observation);
    }
    return observations.length > 1 ? new SeveralObservations(observations) : observations[0];
  }

  weightsUpdated(update: ObservedWeights): void {
    for (const observer of this.observers) observer.weightsUpdated?.(update);
  }
}

class SeveralObservations implements CallObservation {
  constructor(private readonly observations: readonly CallObservation[]) {}

  waits(reason: WaitReason): void {
    for (const each of this.observations) each.waits?.(reason);
  }

  notSent(end: ObservedEnd | undefined): void {
    for (const each of this.observations) each.notSent?.(end);
  }

  attemptStarted(attempt: ObservedAttempt): void {
    for (const each of this.observations) each.attemptStarted?.(attempt);
  }

  headersReceived(attempt: number, metadata: Metadata): void {
    for (const each of this.observations) each.headersReceived?.(attempt, metadata);
  }

  messageSent(attempt: number, bytes: number): void {
    for (const each of this.observations) each.messageSent?.(attempt, bytes);
  }

  messageReceived(attempt: number, bytes: number): void {
    for (const each of this.observations) each.messageReceived?.(attempt, bytes);
  }

  attemptEnded(attempt: number, end: ObservedEnd): void {
    for (const each of this.observations) each.attemptEnded?.(attempt, end);
  }

  dropped(end: ObservedEnd): void {
    for (const each of this.observations) each.dropped?.(end);
  }

  ended(end: ObservedEnd): void {
    for (const each of this.observations) each.ended?.(end);
  }
}
