import { Metadata, status } from '@grpc/grpc-js';
import type { CriticalityLevel } from '../core/call/criticality.js';
import { statedCriticality } from './criticality.js';
import { LearnedLimit } from './learned-limit.js';
import type { EffectiveSheddingOptions } from './options.js';
import type { Refusal, SheddingReason } from './refusal.js';

/** What a server has shed. */
export interface SheddingState {
  /** Calls that it works on at a time at most, for `critical` ones; null if there is no limit now. */
  readonly limit: number | null;
  /** Calls that it works on now, without streams. */
  readonly working: number;
  /** Calls that it has shed since its start, by criticality. */
  readonly shed: Readonly<Record<CriticalityLevel, number>>;
}

/** Trailer key of calls that were shed: the server has not processed them. Its value says why. */
export const SHED_KEY = 'grpc-lb-shed';

/** How long a client waits before it tries a call again (gRFC A6). */
export const PUSHBACK_KEY = 'grpc-retry-pushback-ms';

/** How often a call has been tried before (gRFC A6); a client sets it. */
const PREVIOUS_ATTEMPTS = 'grpc-previous-rpc-attempts';

/** The share of a fixed limit that each level may use. */
const FIXED_SHARES: Readonly<Record<CriticalityLevel, number>> = {
  critical_plus: 1,
  critical: 1,
  sheddable_plus: 0.75,
  sheddable: 0.5,
};

/** Refuses calls while a server has more to do than it can, the least important ones first. */
export class Shedder {
  readonly #learned: LearnedLimit;
  /** Infinity if none is set. */
  readonly #fixed: number;
  readonly #shed: Record<CriticalityLevel, number> = { critical_plus: 0, critical: 0, sheddable_plus: 0, sheddable: 0 };
  #working = 0;
  #total = 0;

  constructor(
    { maxEventLoopDelay, maxConcurrent }: EffectiveSheddingOptions,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#learned = new LearnedLimit(maxEventLoopDelay);
    this.#fixed = maxConcurrent === 'auto' ? Infinity : maxConcurrent;
  }

  /** Calls that were shed since the start. */
  get total(): number {
    return this.#total;
  }

  /** Calls that are being worked on over the limit for `critical` calls; 0 without a limit. */
  get utilization(): number {
    return this.#working / Math.min(this.#fixed, this.#learned.value);
  }

  get state(): SheddingState {
    const limit = Math.min(this.#fixed, this.#learned.value);
    const shown = limit === Infinity ? null : Math.round(limit * 10) / 10;
    return { limit: shown, working: this.#working, shed: { ...this.#shed } };
  }

  /** Called when a call arrives, before its request is decoded; returns how it ends if it is shed. */
  refuses(metadata: Metadata): Refusal | undefined {
    const working = this.#working;
    const learned = this.#learned;
    if (learned.admitsAll(working) && working < this.#fixed * FIXED_SHARES.sheddable) {
      learned.admitted(working);
      return undefined;
    }
    const level = statedCriticality(metadata) ?? 'critical';
    const reason = this.#reason(working, level);
    if (reason === undefined) {
      learned.admitted(working, level);
      return undefined;
    }
    if (reason === 'event_loop_delay') learned.refused(this.now());
    this.#shed[level]++;
    this.#total++;
    return (metadata.get(PREVIOUS_ATTEMPTS).length > 0 ? AGAIN : FIRST)[reason];
  }

  /** A call is being worked on, which is not a stream: that may be open for hours with nothing to do. */
  started(): void {
    this.#working++;
  }

  ended(): void {
    this.#working--;
  }

  /** Called when a turn of the event loop in which calls arrived has ended: see `LearnedLimit`. */
  measured(turn: number, lag: number): void {
    this.#learned.measured(turn, lag, this.now());
  }

  #reason(working: number, level: CriticalityLevel): SheddingReason | undefined {
    if (working >= Math.max(1, Math.floor(this.#fixed * FIXED_SHARES[level]))) return 'concurrency';
    return this.#learned.admits(working, level) ? undefined : 'event_loop_delay';
  }
}

/** The same for each call: grpc-js copies the metadata. */
function refusals(pushback: string): Readonly<Record<SheddingReason, Refusal>> {
  const refusal = (reason: SheddingReason, details: string): Refusal => {
    const metadata = new Metadata();
    metadata.set(SHED_KEY, reason);
    metadata.set(PUSHBACK_KEY, pushback);
    return { code: status.UNAVAILABLE, details, metadata, reason };
  };
  return {
    event_loop_delay: refusal(
      'event_loop_delay',
      'The server sheds load: its event loop is late; it has not processed the call',
    ),
    concurrency: refusal(
      'concurrency',
      'The server sheds load: it works on too many calls; it has not processed the call',
    ),
  };
}

/** The first attempt of a call: it goes elsewhere at once. */
const FIRST = refusals('0');
/** It has been elsewhere. "If the value for pushback is negative ..., an instruction to not retry at all" (gRFC A6). */
const AGAIN = refusals('-1');
