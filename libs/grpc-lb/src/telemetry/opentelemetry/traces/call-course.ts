import { status as Status } from '@grpc/grpc-js';
import type { Attributes, Span, Tracer } from '@opentelemetry/api';
import type { CallObservation, ObservedAttempt, ObservedEnd, WaitReason } from '../../../grpc/call/call-observer.js';
import { AttemptSpans } from './attempt-spans.js';
import type { CallClock } from './call-clock.js';
import {
  ATTEMPT,
  ATTEMPTS,
  ENDED_BY,
  EVENTS,
  MESSAGE_SIZE,
  SEQUENCE_NUMBER,
  WAIT_MS,
  WAIT_REASON,
} from './conventions.js';
import { peerAttributes } from './peer-attributes.js';
import { endSpan, statusName } from './span-end.js';
import type { GrpcLbTraceOptions } from './trace-options.js';

/** So that a long stream does not push the other events out: the SDK keeps 128. */
const MAX_MESSAGE_EVENTS = 64;
/** An attempt has up to three events. */
const MAX_EVENTS = 48;

/** The span of one call, and whether this package has started it. */
export interface CallSpan {
  readonly span: Span;
  /** False if an instrumentation has: then it also ends it. */
  readonly own: boolean;
  /** As in `orders.v1.Orders/Find`. */
  readonly name: string;
  readonly clock: CallClock;
}

/** Writes the course of one call to its span: what it waited for, where it went, and how it ended. */
export class CallCourse implements CallObservation {
  readonly #attempts: AttemptSpans;
  readonly #messages: { sent: number; received: number } | undefined;
  #events = 0;

  constructor(
    private readonly call: CallSpan,
    tracer: Tracer,
    { attempts, messageEvents }: GrpcLbTraceOptions,
  ) {
    this.#attempts = new AttemptSpans(tracer, call.span, call.name, attempts === 'always');
    if (messageEvents) this.#messages = { sent: 0, received: 0 };
  }

  waits(reason: WaitReason): void {
    this.#tell(EVENTS.wait, { [WAIT_REASON]: reason });
  }

  attemptStarted(attempt: ObservedAttempt): void {
    const { number, kind, address, waited, waitedFor } = attempt;
    const peer = peerAttributes(address);
    this.#attempts.started(attempt, this.call.clock.now());
    if (waitedFor !== undefined)
      this.#tell(EVENTS[waitedFor], { [ATTEMPT]: number, [WAIT_REASON]: waitedFor, [WAIT_MS]: waited });
    if (kind !== 'first') this.#tell(EVENTS[kind], { [ATTEMPT]: number });
    this.#tell(EVENTS.pick, { [ATTEMPT]: number, ...peer });
    this.call.span.setAttributes(peer);
  }

  messageSent(attempt: number, bytes: number): void {
    if (this.#messages) this.#message(EVENTS.sent, attempt, this.#messages.sent++, bytes);
  }

  messageReceived(attempt: number, bytes: number): void {
    if (this.#messages) this.#message(EVENTS.received, attempt, this.#messages.received++, bytes);
  }

  attemptEnded(attempt: number, end: ObservedEnd): void {
    this.#attempts.ended(attempt, end, this.call.clock.now());
  }

  dropped({ code }: ObservedEnd): void {
    this.#tell(EVENTS.drop, { 'rpc.status_code': statusName(code) });
  }

  ended(end: ObservedEnd): void {
    const { span, own, clock } = this.call;
    span.setAttributes({ [ATTEMPTS]: this.#attempts.count, [ENDED_BY]: end.origin });
    // "All status codes except `OK` SHOULD be considered errors."
    if (own) endSpan(span, end, end.code !== Status.OK, clock.now());
  }

  #message(name: string, attempt: number, sequence: number, bytes: number): void {
    const { sent, received } = this.#messages!;
    if (sent + received > MAX_MESSAGE_EVENTS) return;
    const attributes = { [SEQUENCE_NUMBER]: sequence, [MESSAGE_SIZE]: bytes, [ATTEMPT]: attempt };
    this.call.span.addEvent(name, attributes, this.call.clock.now());
  }

  #tell(name: string, attributes: Attributes): void {
    if (++this.#events <= MAX_EVENTS) this.call.span.addEvent(name, attributes, this.call.clock.now());
  }
}
