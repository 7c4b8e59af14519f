import { context, type HrTime, type Span, trace, type Tracer } from '@opentelemetry/api';
import { status as Status } from '@grpc/grpc-js';
import type { ObservedAttempt, ObservedEnd } from '../../../grpc/call/call-observer.js';
import { ATTEMPT, ATTEMPT_KIND, ENDED_BY, PREVIOUS_ATTEMPTS, TRANSPARENT_RETRY } from './conventions.js';
import { peerAttributes } from './peer-attributes.js';
import { endSpan } from './span-end.js';

/** Transparent retries are as many as there are endpoints. */
const MAX_SPANS = 32;

interface Attempt {
  readonly observed: ObservedAttempt;
  readonly startedAt: HrTime;
  readonly previous: number;
  span: Span | undefined;
  end: { readonly status: ObservedEnd; readonly time: HrTime } | undefined;
}

/**
 * The spans of the attempts of one call, as gRFC A72 names them. A call with one attempt has none, unless they are
 * wanted always: its own span says the same. So the span of the first attempt is made when the second one starts, with
 * the times that the first one had.
 */
export class AttemptSpans {
  readonly #attempts: Attempt[] = [];
  #previous = 0;
  /** How many attempts have started. */
  count = 0;

  constructor(
    private readonly tracer: Tracer,
    private readonly call: Span,
    /** The name of the call's span, as in `orders.v1.Orders/Find`. */
    private readonly name: string,
    private readonly always: boolean,
  ) {}

  started(observed: ObservedAttempt, startedAt: HrTime): void {
    this.count++;
    const previous = this.#previous;
    if (observed.kind !== 'transparent') this.#previous++;
    if (this.count > MAX_SPANS) return;
    this.#attempts.push({ observed, startedAt, previous, span: undefined, end: undefined });
    if (this.always || this.count > 1) for (const attempt of this.#attempts) this.#open(attempt);
  }

  ended(number: number, status: ObservedEnd, time: HrTime): void {
    const attempt = this.#attempts[number - 1];
    if (!attempt || attempt.end) return;
    attempt.end = { status, time };
    this.#close(attempt);
  }

  #open(attempt: Attempt): void {
    if (attempt.span) return;
    const { observed, startedAt, previous } = attempt;
    const attributes = {
      [ATTEMPT]: observed.number,
      [ATTEMPT_KIND]: observed.kind,
      // A72: the two are set "when span is created".
      [PREVIOUS_ATTEMPTS]: previous,
      [TRANSPARENT_RETRY]: observed.kind === 'transparent',
      ...peerAttributes(observed.address),
    };
    const name = `Attempt.${this.name.replace('/', '.')}`;
    const parent = trace.setSpan(context.active(), this.call);
    attempt.span = this.tracer.startSpan(name, { attributes, startTime: startedAt }, parent);
    this.#close(attempt);
  }

  #close({ span, end }: Attempt): void {
    if (!span || !end) return;
    const { status, time } = end;
    span.setAttribute(ENDED_BY, status.origin);
    // An attempt that this side cancels has not failed: another one won, or the caller left.
    const discarded = status.code === Status.CANCELLED && status.origin === 'local';
    endSpan(span, status, status.code !== Status.OK && !discarded, time);
  }
}
