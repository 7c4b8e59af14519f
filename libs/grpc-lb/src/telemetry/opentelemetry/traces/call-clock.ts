import type { HrTime, Span } from '@opentelemetry/api';

/**
 * The time of one call: all its spans and events have times of this clock, so that their order is right even when the
 * system's clock is set.
 */
export class CallClock {
  readonly #startedAt: number;
  readonly #started = performance.now();

  /** @param span The span of the call, which has just started. */
  constructor(span: Span) {
    // Spans of the SDK show their start, which is in whole milliseconds; the others must not be before it.
    const { startTime } = span as Span & { readonly startTime?: HrTime };
    this.#startedAt = startTime ? milliseconds(startTime) : Date.now();
  }

  now(): HrTime {
    return hrTime(this.#startedAt + performance.now() - this.#started);
  }
}

/** Not milliseconds: the SDK takes a small number for one of `performance.now()`. */
function hrTime(time: number): HrTime {
  const seconds = Math.trunc(time / 1000);
  return [seconds, Math.round((time - seconds * 1000) * 1e6)];
}

function milliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1000 + nanoseconds / 1e6;
}
