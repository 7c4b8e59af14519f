import { type Metadata, status as Status } from '@grpc/grpc-js';
import type { CallObservation, ObservedAttempt, ObservedEnd, WaitReason } from '../../grpc/call/call-observer.js';
import type { ClientSeries } from './client-series.js';
import type { MethodSeries } from './method-series.js';

/** What is known of an attempt that runs. */
interface RunningAttempt {
  startedAt: number;
  sent: number;
  received: number;
}

/** Hedges with higher numbers are not recognized as winners; a call has at most five, and transparent retries. */
const MAX_NUMBER = 31;

/**
 * Records one call: its attempts, what it waited for, and its end. One object for each call; only calls with several
 * attempts have more.
 */
export class CallRecording implements CallObservation {
  readonly #startedAt: number;
  /** The first attempt. */
  #firstAt = 0;
  #sent = 0;
  #received = 0;
  /** The other attempts, from the second on. */
  #others: (RunningAttempt | undefined)[] | undefined;
  #running = 0;
  /** When the attempt that waits was made; undefined if none does. */
  #madeAt: number | undefined;
  #waitsFor: WaitReason | undefined;
  #waitsSince = 0;
  /** When the last attempt ended, while none runs and another may follow. */
  #idleSince: number | undefined;
  #retries = 0;
  #transparent = 0;
  #hedges = 0;
  /** The numbers of the attempts that are hedges, as bits. */
  #hedgeBits = 0;
  /** The attempt that the caller gets. */
  #winner = 0;
  #delay = 0;

  constructor(
    private readonly client: ClientSeries,
    private readonly method: MethodSeries,
    private readonly context: unknown,
    private readonly now: () => number,
  ) {
    this.#startedAt = now();
  }

  waits(reason: WaitReason): void {
    const now = this.now();
    this.#endWait(now);
    this.#waitsFor = reason;
    this.#waitsSince = now;
    this.client.pending(reason).value++;
    // gRFC A66: "Attempts are created after name resolution ... but before the LB pick".
    if (reason !== 'discovery') this.#madeAt ??= now;
  }

  attemptStarted({ number, kind }: ObservedAttempt): void {
    const now = this.now();
    if (this.#waitsFor !== undefined) this.#endWait(now);
    const startedAt = this.#madeAt ?? now;
    this.#madeAt = undefined;
    this.method.started.value++;
    this.#running++;
    if (number === 1) {
      this.#firstAt = startedAt;
      return;
    }
    (this.#others ??= [])[number] = { startedAt, sent: 0, received: 0 };
    if (kind === 'retry') this.#retries++;
    else if (kind === 'transparent') this.#transparent++;
    else if (kind === 'hedge') {
      this.#hedges++;
      if (number < MAX_NUMBER) this.#hedgeBits |= 1 << number;
    }
    // gRFC A96: "Total time of delay while there is no active attempt during the client call."
    if (this.#idleSince !== undefined) this.#delay += startedAt - this.#idleSince;
    this.#idleSince = undefined;
  }

  notSent(end: ObservedEnd | undefined): void {
    const now = this.now();
    this.#endWait(now);
    if (end) this.#unsent(end.code, now);
    this.#madeAt = undefined;
  }

  headersReceived(attempt: number, _metadata: Metadata): void {
    this.#winner = attempt;
  }

  messageSent(attempt: number, bytes: number): void {
    if (attempt === 1) this.#sent += bytes;
    else this.#others![attempt]!.sent += bytes;
  }

  messageReceived(attempt: number, bytes: number): void {
    if (attempt === 1) this.#received += bytes;
    else this.#others![attempt]!.received += bytes;
  }

  attemptEnded(number: number, { code }: ObservedEnd): void {
    const now = this.now();
    if (code === Status.OK) this.#winner ||= number;
    if (number === 1) this.#attempt(code, now - this.#firstAt, this.#sent, this.#received);
    else {
      const { startedAt, sent, received } = this.#others![number]!;
      this.#attempt(code, now - startedAt, sent, received);
    }
    if (--this.#running === 0) this.#idleSince = now;
  }

  dropped({ code }: ObservedEnd): void {
    this.client.dropped(code);
  }

  ended({ code }: ObservedEnd): void {
    const now = this.now();
    const { context, method } = this;
    if (this.#waitsFor !== undefined) {
      if (this.#waitsFor !== 'discovery') this.#unsent(code, now);
      this.#endWait(now);
    }
    const series = method.ofStatus(code);
    const seconds = (now - this.#startedAt) / 1000;
    series.callDuration.record(seconds, context);
    series.rpcDuration.record(seconds, context);
    if (this.#others) this.#several();
  }

  #several(): void {
    const { context, method } = this;
    if (this.#retries > 0) method.record('grpc.client.call.retries', this.#retries, context);
    if (this.#transparent > 0) method.record('grpc.client.call.transparent_retries', this.#transparent, context);
    if (this.#hedges > 0) method.record('grpc.client.call.hedges', this.#hedges, context);
    if (this.#delay > 0) method.record('grpc.client.call.retry_delay', this.#delay / 1000, context);
    if (this.#hedges > 0)
      this.client.hedged(this.#winner < MAX_NUMBER && (this.#hedgeBits & (1 << this.#winner)) !== 0);
  }

  /** An attempt that ends before it was sent was made, so it counts. */
  #unsent(code: number, now: number): void {
    this.method.started.value++;
    this.#attempt(code, now - (this.#madeAt ?? now), 0, 0);
  }

  #attempt(code: number, ms: number, sent: number, received: number): void {
    const series = this.method.ofStatus(code);
    series.attemptDuration.record(ms / 1000, this.context);
    series.sentSize.record(sent, this.context);
    series.receivedSize.record(received, this.context);
  }

  #endWait(now: number): void {
    const reason = this.#waitsFor;
    if (reason === undefined) return;
    this.#waitsFor = undefined;
    const seconds = (now - this.#waitsSince) / 1000;
    this.client.pending(reason).value--;
    this.client.waited(reason, seconds, this.context);
    this.method.delayed(reason, seconds, this.context);
  }
}
