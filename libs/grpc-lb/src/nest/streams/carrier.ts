import type { Metadata, StatusObject } from '@grpc/grpc-js';
import type { Member } from '../../core/balancing/members/member.js';
import type { RequestOutlet } from '../../core/resume/request-relay.js';
import type { OpenedCall, StreamListener } from '../../core/resume/stream-call.js';
import type { SlottedCall, StreamSlot } from '../../grpc/call/stream-slot.js';
import { maxAgeIn } from '../../grpc/call/stream-signals.js';
import type { WireAttempt } from '../../grpc/call/wire-attempt.js';
import type { Connection } from '../../grpc/endpoint/connection.js';
import { StreamEnd } from './stream-end.js';

/** The stream that a call carries. */
export interface CarrierOwner {
  /** Whether it stays open, as a subscription does. */
  readonly lasting: boolean;
  /** Runs code in the async context in which the stream was subscribed. */
  runInScope(action: () => void): void;
  /** A call has started: with this deadline in milliseconds since the epoch, Infinity for none. */
  begun(deadline: number): void;
  /** The call has been sent, perhaps once more, or its response headers have come. */
  placed(carrier: Carrier): void;
  headersReceived(carrier: Carrier, headers: Metadata): void;
  /** A call with a stream of requests takes requests again. */
  drained(): void;
}

/** By this text alone grpc-js tells a stream that its server has reset from one that this side has canceled. */
const RESET = 'Call cancelled';

/** Where a call goes that is to carry a stream. */
export interface Route {
  readonly leaving: Member<Connection> | undefined;
  readonly to: Member<Connection> | undefined;
}

/** A call that carries a stream; the forms differ in who makes it. */
export abstract class Carrier implements StreamSlot, OpenedCall, RequestOutlet<unknown> {
  /** Undefined before it is sent, and if grpc-js makes the calls of the channel. */
  attempt: WireAttempt | undefined;
  /** The age at which the server ends it, in milliseconds. */
  maxAge: number | undefined;
  readonly leaving: Member<Connection> | undefined;
  readonly to: Member<Connection> | undefined;
  #answered = false;
  /** The attempt with whose status it ends; undefined while it runs, and if this side ends it. */
  #last: WireAttempt | undefined;

  constructor(
    protected readonly owner: CarrierOwner,
    protected readonly listener: StreamListener<unknown, StreamEnd>,
    route: Route,
    /** By the clock. */
    private readonly openedAt: number,
  ) {
    this.leaving = route.leaving;
    this.to = route.to;
  }

  /** When it was sent, by the clock; when it was opened, if that is not known. */
  get since(): number {
    return this.attempt?.reservedAt ?? this.openedAt;
  }

  get lasting(): boolean {
    return this.owner.lasting;
  }

  /** Whether a call with a stream of requests takes one now. */
  abstract readonly ready: boolean;
  abstract send(request: unknown): void;
  abstract halfClose(): void;
  abstract read(): void;
  abstract cancel(): void;

  begun({ deadline }: SlottedCall): void {
    this.owner.begun(deadline);
  }

  sent(attempt: WireAttempt): void {
    this.attempt = attempt;
    this.listener.onSent();
    this.owner.placed(this);
  }

  endsWith(attempt: WireAttempt): void {
    this.#last = attempt;
  }

  protected headers(headers: Metadata): void {
    this.#answered = true;
    this.maxAge = maxAgeIn(headers);
    this.owner.headersReceived(this, headers);
    this.listener.onHeaders();
  }

  protected ended(status: StatusObject): void {
    const { attempt } = this;
    const local = this.#last ? this.#last.local : attempt !== undefined || status.details !== RESET;
    this.listener.onEnd(
      new StreamEnd(status, this.#answered || attempt !== undefined, local, (this.#last ?? attempt)?.peer),
    );
  }
}
