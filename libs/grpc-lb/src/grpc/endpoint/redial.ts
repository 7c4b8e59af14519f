import type { Cancel } from '../../core/clock.js';
import { GOOD_AFTER_MS, ReconnectBackoff } from '../../core/connection/reconnect-backoff.js';
import type { Connection } from './connection.js';
import type { ConnectionEnvironment } from './connection-site.js';

/** Slows down reconnecting to a peer that accepts connections only to close them. */
export class Redial {
  /** Why connections do not last; undefined while they do. */
  failing: string | undefined;
  readonly #backoff: ReconnectBackoff;
  #cancel: Cancel | undefined;

  constructor(
    private readonly environment: ConnectionEnvironment,
    /** Called when the endpoint may be dialed again. */
    private readonly onDue: () => void,
  ) {
    const { channelOptions, context } = environment;
    this.#backoff = new ReconnectBackoff(context.random, {
      initial: channelOptions['grpc.initial_reconnect_backoff_ms'] ?? 1000,
      max: channelOptions['grpc.max_reconnect_backoff_ms'] ?? 5000,
    });
  }

  /** Whether the endpoint must not be dialed yet. */
  get waiting(): boolean {
    return this.#cancel !== undefined;
  }

  /** Called when a connection was lost. Returns how long to wait before the next attempt, in milliseconds. */
  lost({ readyAt, answered }: Connection, reason: string): number {
    const delay = this.#backoff.lost({ readyAt: readyAt!, answered }, this.environment.context.clock.now());
    const { shortLived } = this.#backoff;
    this.failing =
      shortLived < 2
        ? undefined
        : `${shortLived} connections in a row were lost within ${GOOD_AFTER_MS / 1000} s, before any call was answered: ${reason}`;
    return delay;
  }

  wait(delayMs: number): void {
    this.#cancel = this.environment.context.clock.after(delayMs, () => {
      this.#cancel = undefined;
      this.onDue();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
