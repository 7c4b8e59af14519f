import { onRejection } from '../core/on-rejection.js';
import { printableError } from '../core/printable.js';
import type {
  ObservedServer,
  ObservedServerCall,
  ObservedServerEnd,
  ServerCallObservation,
  ServerCallObserver,
} from './server-observer.js';

/** The observers of one server. */
export class ServerObservers {
  /** Tells all of them; undefined if there is none, so that a call without observers compares once. */
  all: ServerCallObserver | undefined;
  #observers: readonly ServerCallObserver[] = [];

  /** Adds an observer of the calls of a server that arrive from now on. Returns a function that removes it. */
  add(observer: ServerCallObserver, server: ObservedServer): () => void {
    const guarded = new GuardedObserver(observer);
    this.#set([...this.#observers, guarded]);
    const leave = guarded.attached(server);
    return () => {
      this.#set(this.#observers.filter((each) => each !== guarded));
      leave();
    };
  }

  #set(observers: readonly ServerCallObserver[]): void {
    this.#observers = observers;
    this.all = observers.length > 1 ? new SeveralObservers(observers) : observers[0];
  }
}

class SeveralObservers implements ServerCallObserver {
  constructor(private readonly observers: readonly ServerCallObserver[]) {}

  callStarted(call: ObservedServerCall): ServerCallObservation | undefined {
    const observations = this.observers.flatMap((each) => each.callStarted(call) ?? []);
    return observations.length > 1 ? new SeveralObservations(observations) : observations[0];
  }
}

class SeveralObservations implements ServerCallObservation {
  constructor(private readonly observations: readonly ServerCallObservation[]) {}

  run(action: () => void): void {
    const nested = this.observations.reduceRight<() => void>(
      (inner, each) => (each.run ? () => each.run!(inner) : inner),
      action,
    );
    nested();
  }

  ended(end: ObservedServerEnd): void {
    for (const each of this.observations) each.ended?.(end);
  }
}

/** Passes everything on to an observer, whose errors do not reach the call. */
class GuardedObserver implements ServerCallObserver {
  #warned = false;

  constructor(private readonly observer: ServerCallObserver) {}

  attached(server: ObservedServer): () => void {
    const leave = this.safely(() => this.observer.attached?.(server));
    return () => this.safely(() => leave?.());
  }

  callStarted(call: ObservedServerCall): ServerCallObservation | undefined {
    const observation = this.safely(() => this.observer.callStarted(call));
    return observation && new GuardedObservation(observation, this);
  }

  safely<T>(tell: () => T): T | undefined {
    try {
      const returned = tell();
      onRejection(returned, this.#warn);
      return returned;
    } catch (error) {
      this.#warn(error);
      return undefined;
    }
  }

  readonly #warn = (error: unknown): void => {
    if (this.#warned) return;
    this.#warned = true;
    const text = `An observer of the server failed: ${printableError(error)}; its further errors are not reported`;
    process.emitWarning(text, 'GrpcLbWarning');
  };
}

class GuardedObservation implements ServerCallObservation {
  constructor(
    private readonly told: ServerCallObservation,
    private readonly guard: GuardedObserver,
  ) {}

  run(action: () => void): void {
    if (!this.told.run) return action();
    let ran = false;
    let failure: { readonly error: unknown } | undefined;
    const once = (): void => {
      if (ran) return;
      ran = true;
      try {
        action();
      } catch (error) {
        failure = { error };
      }
    };
    this.guard.safely(() => this.told.run!(once));
    once();
    // Of the handler, not of the observer.
    if (failure) throw failure.error;
  }

  ended(end: ObservedServerEnd): void {
    this.guard.safely(() => this.told.ended?.(end));
  }
}
