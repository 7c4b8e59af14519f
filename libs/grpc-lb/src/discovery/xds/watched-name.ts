import type { Cancel, Clock } from '../../core/clock.js';
import type { LoadAssignment } from './load-assignment.js';

/** Receives the endpoints of one name. */
export interface AdsWatcher {
  onAssignment(assignment: LoadAssignment): void;
  onError(error: Error): void;
}

/** One name that a client asks the control plane for: its watchers, and the last result. */
export class WatchedName {
  readonly #watchers = new Set<AdsWatcher>();
  #last: LoadAssignment | undefined;
  /** The last error, for watchers that join later. */
  #error: Error | undefined;
  /** The timer while the control plane owes the first answer; undefined while it has not been asked. */
  #cancelTimeout: Cancel | undefined;

  /** @param error Why the control plane cannot be queried. */
  constructor(error: Error | undefined) {
    this.#error = error;
  }

  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Reports the last result later, never now. */
  add(watcher: AdsWatcher): void {
    this.#watchers.add(watcher);
    if (this.#last || this.#error) queueMicrotask(() => this.#tell(watcher));
  }

  /** Returns whether that was the last watcher. */
  remove(watcher: AdsWatcher): boolean {
    return this.#watchers.delete(watcher) && !this.watched;
  }

  /** Starts to wait for the first answer. */
  expect(clock: Clock, timeoutMs: number, timedOut: () => Error): void {
    if (this.#last || this.#cancelTimeout) return;
    this.#cancelTimeout = clock.after(timeoutMs, () => this.#report(timedOut()));
  }

  /** Called when the control plane is no longer asked. */
  stopWaiting(): void {
    this.#cancelTimeout?.();
    this.#cancelTimeout = undefined;
  }

  accept(assignment: LoadAssignment): void {
    this.#cancelTimeout?.();
    this.#last = assignment;
    this.#error = undefined;
    for (const watcher of this.#watchers) watcher.onAssignment(assignment);
  }

  fail(error: Error): void {
    this.#cancelTimeout?.();
    this.#report(error);
  }

  #report(error: Error): void {
    this.#error = error;
    for (const watcher of this.#watchers) watcher.onError(error);
  }

  #tell(watcher: AdsWatcher): void {
    if (this.#last && this.#watchers.has(watcher)) watcher.onAssignment(this.#last);
    if (this.#error && this.#watchers.has(watcher)) watcher.onError(this.#error);
  }
}
