import type { Clock } from '../../clock.js';

/** Connections that are lost together and back at once, as in the reload of a proxy, are no outage. */
const LEAST_MS = 1000;

/** When no endpoint was connected. */
export class Outage {
  /** When the last endpoint was lost; undefined while one is connected, and before the first has been. */
  #since: number | undefined;
  #endedAt = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** Milliseconds since the first endpoint returned from the last outage; Infinity if there was none. */
  get past(): number {
    return this.clock.now() - this.#endedAt;
  }

  /** Called when an endpoint is lost, and no other is connected. */
  begin(): void {
    this.#since ??= this.clock.now();
  }

  /** Called when an endpoint connects. Returns whether it is the first after an outage. */
  end(): boolean {
    const since = this.#since;
    this.#since = undefined;
    if (since === undefined || this.clock.now() - since < LEAST_MS) return false;
    this.#endedAt = this.clock.now();
    return true;
  }
}
