import { AssertionError } from 'node:assert';
import { status as Status } from '@grpc/grpc-js';
import type { AttemptKind } from '../../core/call/plan-owner.js';
import type { CallObservation, CallObserver, ObservedCall } from '../../grpc/call/call-observer.js';

/** An attempt of a call, as the client made it. */
export interface AttemptedCall {
  /** As in `/orders.v1.Orders/Find`. */
  readonly method: string;
  /** The attempts that were sent, in order. */
  readonly attempts: readonly SentAttempt[];
  /** The name of the status with which the call ended, such as `OK`; undefined while it runs. */
  readonly status: string | undefined;
}

/** An attempt that was sent to an endpoint. */
export interface SentAttempt {
  /** The address of the backend. */
  readonly address: string;
  /** Why it was made. */
  readonly kind: AttemptKind;
  /** The name of the status with which it ended, such as `UNAVAILABLE`; undefined while it runs. */
  readonly status: string | undefined;
}

/** How many attempts a call may have. */
export interface AttemptBounds {
  /**
   * The fewest.
   *
   * @default 1
   */
  readonly atLeast?: number;
  /**
   * The most.
   *
   * @default no limit
   */
  readonly atMost?: number;
}

/** More are not kept. */
const MAX_KEPT = 10_000;

interface MutableAttempt {
  readonly address: string;
  readonly kind: AttemptKind;
  status: string | undefined;
}

/** The calls of the clients that it observes, with their attempts. */
export class AttemptLog implements CallObserver {
  #calls: AttemptedCall[] = [];
  #observed = false;
  /** Those of a client that is observed twice, by `fleet.client` and by `forRoot`, count once. */
  readonly #seen = new WeakSet<ObservedCall>();

  callStarted(observed: ObservedCall): CallObservation | undefined {
    this.#observed = true;
    if (this.#calls.length >= MAX_KEPT || this.#seen.has(observed)) return undefined;
    this.#seen.add(observed);
    const { method } = observed;
    const attempts: MutableAttempt[] = [];
    const call = { method, attempts, status: undefined as string | undefined };
    this.#calls.push(call);
    return {
      attemptStarted: ({ address, kind }) => void attempts.push({ address, kind, status: undefined }),
      attemptEnded: (number, { code }) => {
        const attempt = attempts[number - 1];
        if (attempt) attempt.status = Status[code];
      },
      ended: ({ code }) => {
        call.status = Status[code];
      },
    };
  }

  get all(): readonly AttemptedCall[] {
    return [...this.#calls];
  }

  clear(): void {
    this.#calls = [];
  }

  /** @throws AssertionError that shows the first call with too many or too few attempts. */
  expect(bounds: number | AttemptBounds): void {
    const { atLeast = 1, atMost = Infinity } =
      typeof bounds === 'number' ? { atLeast: bounds, atMost: bounds } : bounds;
    const wrong = this.#calls.filter(({ attempts }) => attempts.length < atLeast || attempts.length > atMost);
    if (this.#calls.length > 0 && wrong.length === 0) return;
    const range =
      atLeast === atMost ? `${atLeast}` : `${atLeast} to ${atMost === Infinity ? 'any number' : String(atMost)}`;
    throw new AssertionError({
      message: wrong[0]
        ? `${wrong.length} of ${this.#calls.length} calls did not take ${range} attempts; the first of them:\n${textOf(wrong[0])}`
        : this.#reasonForNone(),
      actual: wrong[0]?.attempts.length ?? 0,
      expected: bounds,
      operator: 'expectAttempts',
    });
  }

  #reasonForNone(): string {
    return this.#observed
      ? 'no client has made a call since clear()'
      : 'no call was observed; create the client with fleet.client(), or pass fleet.observer to forRoot()';
  }
}

function textOf({ method, attempts, status }: AttemptedCall): string {
  const lines = attempts.map(
    (each, i) => `  attempt ${i + 1} (${each.kind}) to ${each.address}: ${each.status ?? 'runs'}`,
  );
  return [`  ${method}: ${status ?? 'runs'}`, ...lines].join('\n');
}
