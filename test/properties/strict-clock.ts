import type { Cancel } from '../../libs/grpc-lb/src/core/clock.js';
import { FakeClock } from '../support/time/fake-clock.js';

/**
 * A virtual clock that refuses a timer for the moment it is at. One that sets itself again that way would keep the clock
 * there for ever, and the test with it.
 */
export class StrictClock extends FakeClock {
  override after(delayMs: number, callback: () => void): Cancel {
    if (this.now() + delayMs <= this.now()) throw new Error(`a timer for now, in ${delayMs} ms`);
    return super.after(delayMs, callback);
  }
}
