import type { Cancel, Clock } from '../../core/clock.js';
import type { Connection } from './connection.js';

interface IdleRules {
  /** How long an extra connection stays open without calls. */
  readonly idleTimeout: () => number;
  /** Whether the connection is beyond those that are always kept. */
  readonly isExtra: (connection: Connection) => boolean;
  /** Called when an extra connection has had no calls for the idle timeout. */
  readonly onIdle: (connection: Connection) => void;
}

/** Finds extra connections that have had no calls for the idle timeout. */
export class IdleTimers {
  readonly #timers = new Map<Connection, Cancel>();

  constructor(
    private readonly clock: Clock,
    private readonly rules: IdleRules,
  ) {}

  /** Called when a connection has no calls. */
  start(connection: Connection): void {
    connection.idleSince = this.clock.now();
    if (!this.#timers.has(connection) && this.rules.isExtra(connection))
      this.#wait(connection, this.rules.idleTimeout());
  }

  /** Called when the rules have changed. Its time without calls counts on. */
  reconsider(connection: Connection): void {
    if (this.#timers.has(connection)) {
      this.stop(connection);
      this.#onTimer(connection);
    } else if (connection.inFlight === 0) this.start(connection);
  }

  stop(connection: Connection): void {
    this.#timers.get(connection)?.();
    this.#timers.delete(connection);
  }

  #wait(connection: Connection, ms: number): void {
    this.#timers.set(
      connection,
      this.clock.after(ms, () => this.#onTimer(connection)),
    );
  }

  #onTimer(connection: Connection): void {
    this.#timers.delete(connection);
    if (connection.inFlight > 0 || connection.retiring || !this.rules.isExtra(connection)) return;
    // It may have carried calls in the meantime.
    const left = connection.idleSince + this.rules.idleTimeout() - this.clock.now();
    if (left <= 0) this.rules.onIdle(connection);
    else this.#wait(connection, left);
  }
}
