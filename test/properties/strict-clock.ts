import type { Cancel } from '../../libs/grpc-lb/src/core/clock.js';
import { FakeClock } from '../support/time/fake-clock.js';

/**
 * A virtual clock that rejects a timer for the current time. One that rearms itself that way would keep the clock
 * there forever, and the test with it.
 */
export class StrictClock extends FakeClock {
  override after(delayMs: number, callback: () => void): Cancel {
    if (this.now() + delayMs <= this.now()) throw new Error(`a timer for now, in ${delayMs} ms`);
    return super.after(delayMs, callback);
  }
}
