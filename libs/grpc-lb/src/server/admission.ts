import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { isHandledCallWanted } from '../handled-call/handled-call.js';
import { believedCriticality } from './criticality.js';
import { DeadlineGuard } from './deadline-guard.js';
import type { EffectiveServerOptions } from './options.js';
import type { Refusal, RefusalReason } from './refusal.js';
import { LATER, Shedder } from './shedder.js';
import { ServedCall } from './served-call.js';

type Call = Pick<ServerInterceptingCallInterface, 'getDeadline'>;

/** Calls that the server refused without starting their handlers, since its start, by reason. */
export type RefusedCalls = Readonly<Record<RefusalReason, number>>;

/** Decides which calls of the application get a handler, and what the calls of a handler inherit. */
export class Admission {
  readonly shedder: Shedder | undefined;
  readonly #refused: Record<RefusalReason, number> = {
    deadline_passed: 0,
    deadline_hopeless: 0,
    event_loop_delay: 0,
    concurrency: 0,
  };
  readonly #deadlines: DeadlineGuard;
  readonly #propagates: boolean;
  /** Whether callers may claim any criticality. */
  readonly #trusts: boolean;

  constructor({ deadlines, shedding }: Pick<EffectiveServerOptions, 'deadlines' | 'shedding'>) {
    this.shedder = shedding && new Shedder(shedding);
    this.#propagates = deadlines.propagate;
    this.#trusts = shedding?.trustCriticality ?? true;
    this.#deadlines = new DeadlineGuard(deadlines.refuseHopeless);
  }

  get refused(): RefusedCalls {
    return { ...this.#refused };
  }

  /**
   * Called when a call arrives, before its request is decoded; returns how it ends if it gets no handler. `LATER`: call
   * `postpone`.
   */
  onArrival(path: string, call: Call, metadata: Metadata): Refusal | typeof LATER | undefined {
    const refusal = this.#deadlines.onArrival(path, Number(call.getDeadline())) ?? this.shedder?.refuses(metadata);
    return refusal === LATER ? LATER : this.#count(refusal);
  }

  /** Decides upon a call when this turn of the event loop has ended. */
  postpone(metadata: Metadata, decided: (refusal: Refusal | undefined) => void): void {
    this.shedder!.postpone(metadata, (refusal) => decided(this.#count(refusal)));
  }

  /** Called when the one request of a call is complete. */
  beforeHandler(call: Call): Refusal | undefined {
    return this.#count(this.#deadlines.beforeHandler(Number(call.getDeadline())));
  }

  /** The call as its handler's calls see it; undefined if there can be none, or they inherit nothing. */
  served(call: Call, metadata: Metadata): ServedCall | undefined {
    if (!this.#propagates || !isHandledCallWanted()) return undefined;
    return new ServedCall(call, believedCriticality(metadata, this.#trusts));
  }

  /** Called when a call with one response has succeeded. */
  succeeded(path: string, arrivedAt: number): void {
    this.#deadlines.succeeded(path, arrivedAt);
  }

  #count(refusal: Refusal | undefined): Refusal | undefined {
    if (refusal) this.#refused[refusal.reason]++;
    return refusal;
  }
}
